"""PDF/A-3b (ISO 19005-3) and tags: what the standard asks of a file, looked up in the file."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fontTools.ttLib import TTFont
from lxml import etree
from PIL import Image
from printed import in_language, reader_of
from pypdf import PdfReader
from pypdf.generic import ContentStream, DictionaryObject, StreamObject
from sample_documents import MONTHS, SUPPLIER, call, calls_of, credit_note, document, full_document, line, many_calls

from invoicing.documents.making import make_files
from invoicing.documents.pdf import render_pdf
from schemas.settings import DocumentSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypdf import PageObject

    from invoicing.documents.model import InvoiceDocument

XML = b'<?xml version="1.0" encoding="UTF-8"?><Invoice>\xc3\xa9</Invoice>'
NAMESPACES = {
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
PAINTS = {b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"S", b"s", b"Do", b"sh", b"Tj", b"TJ", b"'", b'"'}
ABSENT = ("/OpenAction", "/AA", "/JavaScript", "/AcroForm", "/OCProperties", "/Encrypt", "/Perms", "/Requirements")


def png() -> str:
    """A logo with 16 bits and transparency, as drawing programs write them."""
    written = io.BytesIO()
    Image.new("RGBA", (60, 20), (200, 30, 30, 120)).save(written, "PNG")
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"


def every_kind() -> dict[str, InvoiceDocument]:
    """Documents with all that can be on a page."""
    foreign = [call(each["start"], zone=zone) for each, zone in zip(
        many_calls(4).iter_rows(named=True), ("Ελλάδα", "საქართველო", "Հայաստան", "ישראל"), strict=True,
    )]  # fmt: skip
    return {
        "full": full_document(150, months=MONTHS),
        "logo": full_document(6, supplier=replace(SUPPLIER, logo=png(), colour="#aa2222")),
        "draft": full_document(80, number=None, structured_communication=None),
        "credit note": credit_note(),
        "scripts": document([line("recurring", "Κλήσεις 北京", 1000)], calls=calls_of(foreign)),
        "nothing": document([]),
        "german": in_language("de", 90, months=MONTHS),
    }


@pytest.fixture(scope="module", params=list(every_kind()))
def reader(request: pytest.FixtureRequest) -> PdfReader:
    return reader_of(every_kind()[request.param], xml=XML)


def objects_of(reader: PdfReader) -> Iterator[Any]:
    """Every object of a file."""
    for number in range(1, int(reader.trailer["/Size"])):
        found = reader.get_object(number)
        if found is not None:
            yield found


def fonts_of(reader: PdfReader) -> list[Any]:
    return [
        found for found in objects_of(reader) if isinstance(found, DictionaryObject) and "/DescendantFonts" in found
    ]


def test_pdf_a__the_file_says_what_it_is_and_hides_nothing(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert reader.pdf_header == "%PDF-1.7"
    first, second = reader.trailer["/ID"]
    assert len(first) == len(second) > 0
    assert not reader.is_encrypted
    for found in (root, reader.trailer, *reader.pages):
        assert not [name for name in ABSENT if name in found]
    assert "/Annots" not in " ".join(key for page in reader.pages for key in page)
    xmp = etree.fromstring(root["/Metadata"].get_data())
    assert xmp.xpath("string(//@pdfaid:part)", namespaces=NAMESPACES) == "3"
    assert xmp.xpath("string(//@pdfaid:conformance)", namespaces=NAMESPACES) == "B"
    assert xmp.xpath("string(//dc:title//rdf:li)", namespaces=NAMESPACES) == reader.metadata.title
    assert xmp.xpath("string(//dc:creator//rdf:li)", namespaces=NAMESPACES) == reader.metadata.author
    assert xmp.xpath("string(//xmp:CreateDate)", namespaces=NAMESPACES) == "2026-10-28"


def test_pdf_a__colours_are_those_of_one_profile(reader: PdfReader) -> None:
    (intent,) = reader.trailer["/Root"]["/OutputIntents"]
    profile = intent["/DestOutputProfile"].get_object()
    assert (intent["/S"], profile["/N"], profile.get_data()[36:40]) == ("/GTS_PDFA1", 3, b"acsp")
    assert profile.get_data()[16:20] == b"RGB "
    for found in objects_of(reader):
        if isinstance(found, DictionaryObject):
            assert found.get("/ColorSpace", "/DeviceRGB") != "/DeviceCMYK"
            assert str(found.get("/Interpolate", "False")) == "False"
            assert found.get("/BM", "/Normal") in {"/Normal", "/Compatible"}
        if isinstance(found, StreamObject):
            assert "/F" not in found
            assert "LZW" not in str(found.get("/Filter"))


def test_pdf_a__every_font_is_there_with_its_widths_and_its_letters(reader: PdfReader) -> None:
    fonts = fonts_of(reader)
    assert fonts
    for font in fonts:
        (descendant,) = (each.get_object() for each in font["/DescendantFonts"])
        program = TTFont(io.BytesIO(descendant["/FontDescriptor"]["/FontFile2"].get_data()))
        names = program.getGlyphOrder()
        assert descendant["/CIDToGIDMap"] == "/Identity"
        assert "/ToUnicode" in font
        for glyph, width in widths_of(descendant["/W"]):
            assert glyph > 0, "the glyph that says that there is none"
            advance = program["hmtx"][names[glyph]][0] * 1000 / program["head"].unitsPerEm
            assert abs(width - advance) <= 1
        program.close()


def widths_of(array: list[Any]) -> Iterator[tuple[int, float]]:
    """The widths of a CID font, by glyph (ISO 32000-1, 9.7.4.3)."""
    for first, widths in zip(array[::2], array[1::2], strict=True):
        yield from ((int(first) + place, float(width)) for place, width in enumerate(widths.get_object()))


def test_pdf_a__bold_is_bold_and_rows_are_narrow() -> None:
    names = {str(font["/BaseFont"]).partition("+")[2] for font in fonts_of(reader_of(full_document(6)))}
    assert {"Fira-Sans", "Fira-Sans-Semi-Bold", "Fira-Sans-Condensed,-Condensed"} <= names


def test_attachment__is_the_alternative_to_the_pages_and_there_once() -> None:
    root = reader_of(full_document(6), xml=XML).trailer["/Root"]
    (reference,) = root["/AF"]
    name, named = root["/Names"]["/EmbeddedFiles"]["/Names"]
    file = reference.get_object()
    assert named.get_object() == file
    assert (name, file["/F"], file["/UF"], file["/AFRelationship"]) == (*["2026-000001.xml"] * 3, "/Alternative")
    embedded = file["/EF"]["/F"].get_object()
    assert embedded.get_data() == XML
    assert embedded["/Subtype"] == "/text/xml"
    assert embedded["/Params"]["/ModDate"] == "D:20261028000000Z"
    assert set(root["/Names"]) == {"/EmbeddedFiles"}


def test_attachment__without_one_there_is_no_list_of_files() -> None:
    root = reader_of(full_document(6)).trailer["/Root"]
    assert "/AF" not in root
    assert "/Names" not in root
    assert len(render_pdf(full_document(6))) < len(render_pdf(full_document(6), xml=XML))


@pytest.mark.parametrize("embeds_pdf", [False, True])
def test_attachment__is_the_electronic_invoice_that_is_published(embeds_pdf: bool) -> None:
    made = make_files(full_document(6, embeds_pdf=embeds_pdf), DocumentSettings()).contents
    (reference,) = PdfReader(io.BytesIO(made["pdf"])).trailer["/Root"]["/AF"]
    assert reference.get_object()["/EF"]["/F"].get_object().get_data() == made["xml"]
    assert (base64.b64encode(render_pdf(full_document(6))) in made["xml"]) == embeds_pdf


def marks_of(page: PageObject, reader: PdfReader) -> tuple[set[int], list[bytes]]:
    """The numbers of the marked contents of a page, and what is painted outside any mark."""
    numbers, outside, depth = set(), [], 0
    for operands, operator in ContentStream(page.get_contents(), reader).operations:
        if operator in {b"BDC", b"BMC"}:
            depth += 1
            if operator == b"BDC":
                assert operands[1]["/MCID"] not in numbers
                numbers.add(int(operands[1]["/MCID"]))
        elif operator == b"EMC":
            depth -= 1
        elif operator in PAINTS and depth == 0:
            outside.append(operator)
    assert depth == 0
    return numbers, outside


def below(element: DictionaryObject) -> Iterator[int]:
    """The numbers of the elements of a structure tree."""
    for child in element["/K"]:
        if hasattr(child, "idnum"):
            yield child.idnum
            yield from below(child.get_object())


def test_tags__all_that_is_painted_is_content_of_the_tree_or_decoration(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert str(root["/MarkInfo"]["/Marked"]) == "True"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    tree = set(below(root["/StructTreeRoot"]["/K"][0].get_object()))
    numbers = root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    assert list(numbers[::2]) == list(range(len(reader.pages)))
    for page in reader.pages:
        marked, outside = marks_of(page, reader)
        assert outside == []
        parents = numbers[2 * page["/StructParents"] + 1].get_object()
        for number, parent in enumerate(parents):
            element = parent.get_object()
            in_tree = isinstance(element, DictionaryObject)
            assert (number in marked) == in_tree
            if in_tree:
                assert element["/K"] == [number]
                assert parent.idnum in tree
                assert element["/Pg"].get_object() == page


def test_tags__tables_have_heads_and_figures_say_what_they_show() -> None:
    found = reader_of(full_document(150, months=MONTHS))
    elements = [each for each in objects_of(found) if isinstance(each, DictionaryObject) and each.get("/S")]
    types = [each["/S"] for each in elements if each.get("/Type") == "/StructElem"]
    assert {"/Document", "/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/P", "/Figure"} <= set(types)
    figures = [each["/Alt"] for each in elements if each["/S"] == "/Figure"]
    assert len(figures) == 2
    assert "Code QR pour payer" in figures[0]
    assert "juillet 2026 710,00\xa0€; août 2026 520,00\xa0€" in figures[1]
    assert figures[1].endswith("octobre 2026 611,49\xa0€")
