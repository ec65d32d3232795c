"""Texts made to attack, in every text column at once: they come back as they were, and nothing obeys them.

A cell is one text in one place of one output that was parsed back.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import unicodedata
import zipfile
from typing import TYPE_CHECKING

import polars as pl
import pytest
from lxml import etree
from pypdf import PdfReader

from invoicing.documents.fonts import writable
from invoicing.documents.words import printable
from invoicing.showing import visible
from rating.sources.platform_tables import LONGEST_SHOWN
from tests.attacks.hostile_store import (
    EXPLAINED,
    EXPORTED,
    FORMATS,
    LANGUAGES,
    NOW,
    PERIOD,
    SECRET,
    SUPPLIER_TEXTS,
    Hostile,
    at_home_in,
    draw,
    listening,
    run_everything,
)
from tests.attacks.hostile_texts import OF_ONE_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))]
FORMULA_STARTS = tuple("=+-@\t\r")
GUARDED = ("description", "detail", "record", "reason", "name", "label", "vat_number")
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
PAGE_ELEMENTS = """
html head meta link title style body header main section div p h1 h2 address br span small dl dt dd table caption thead
tbody tfoot tr th td figure figcaption footer svg path text
"""
MARK = re.compile(r"q\d+z\d+q")
Cells = list[dict[str, str | None]]


@pytest.fixture(scope="module", params=SEEDS)
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """The month, and that nothing was fetched, run or written elsewhere while all came of it."""
    folder = tmp_path_factory.mktemp("attack") / "month"
    with listening() as server:
        made = draw(folder, request.param, f"http://127.0.0.1:{server.getsockname()[1]}")
        before = made.outside()
        with at_home_in(folder):
            run_everything(made)
            yield made
        assert made.outside() == before
        with pytest.raises(BlockingIOError):
            server.accept()
    print(f"seed {request.param}: {made.texts.drawn} texts")  # noqa: T201 - a count


def compared(what: str, pairs: list[tuple[str, str]]) -> int:
    """How many cells there were; each is found as it was expected."""
    wrong = [(found, expected) for found, expected in pairs if found != expected]
    assert not wrong, f"{len(wrong)} of {len(pairs)} {what}; the first: {wrong[0][0]!r} is not {wrong[0][1]!r}"
    cells = sum(MARK.search(expected) is not None for _, expected in pairs)
    print(f"{cells} {what}")  # noqa: T201 - a count
    return cells


def held(text: str, whole: str, where: str = "where it belongs") -> tuple[str, str]:
    """What was found and what was expected: a text within another."""
    return (text if text in whole else f"not {where}", text)


def bare(text: str) -> str:
    """A text as it is found again in a document: letters with their accents, without blanks and what has no width."""
    whole = unicodedata.normalize("NFC", writable(printable(text)))
    return "".join(letter for letter in whole if not letter.isspace() and unicodedata.category(letter) != "Cf")


def text_of(pdf: Path) -> str:
    """All that a PDF shows."""
    done = subprocess.run(["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def descriptions_of(hostile: Hostile, customer_id: str) -> list[str]:
    """What the invoice of a customer says: products, charges, credits, zones."""
    tables, label = hostile.tables, f"label_{LANGUAGES.get(customer_id, 'en')}"
    mine = customer_id in LANGUAGES
    own = [
        row["description"]
        for table in ("charges", "credits")
        for row in tables[table]
        if row["customer_id"] == customer_id
    ]
    return [
        *(row[label] for row in tables["products"] if mine and row["kind"] == "option"),
        *(row[label] for row in tables["zones"] if mine),
        *own,
    ]


def customers_of(hostile: Hostile) -> dict[str, dict[str, str]]:
    return {row["customer_id"]: row for row in hostile.tables["customers"]}


# Every command, and the terminal


def test_attack__every_command_does_its_work(hostile: Hostile) -> None:
    told = {words: (told.status, told.stderr) for words, told in hostile.told.items() if told.status not in (0, 1)}
    assert told == {}
    assert len(list((hostile.store / "invoices").rglob("*.pdf"))) == len(LANGUAGES) + 1 + len(hostile.reasons)
    assert len(list((hostile.store / "invoices").rglob("*.xml"))) == len(LANGUAGES) + len(hostile.reasons)


def test_attack__no_control_and_nothing_that_turns_the_text_reaches_a_terminal(hostile: Hostile) -> None:
    raw = [
        (words[:2], sorted({letter for letter in text if not letter.isprintable()} - {"\n"}))
        for words, told in hostile.told.items()
        for text in (told.stdout, told.stderr)
    ]
    assert [(words, letters) for words, letters in raw if letters] == []


def test_attack__what_a_terminal_shows_is_the_text_with_its_controls_visible(hostile: Hostile) -> None:
    shown = {words: told for words, told in hostile.told.items() if words[:2] == ("explain", "--call")}
    assert len(shown) == EXPLAINED
    heads = {visible(words[-1]): told.stdout.split("\n")[0] for words, told in shown.items()}
    compared("call_ids in a terminal", [held(call_id, head) for call_id, head in heads.items()])


def test_attack__json_gives_the_text_back(hostile: Hostile) -> None:
    explained = next(told for words, told in hostile.told.items() if words[0] == "explain" and "--json" in words)
    (line,) = explained.stdout.splitlines()
    texts = json.dumps(json.loads(line), ensure_ascii=False)
    wanted = [json.dumps(text, ensure_ascii=False)[1:-1] for text in descriptions_of(hostile, "h1")]
    compared("cells of JSON", [held(text, texts) for text in wanted])


# Tables


def read_back(path: Path) -> Cells:
    """The cells of a table in any format; those of a sheet from its XML, for a formula is no text there."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [dict(row) for row in csv.DictReader(file)]
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    if path.suffix == ".parquet":
        return pl.read_parquet(path).cast(pl.String).to_dicts()
    with zipfile.ZipFile(path) as book:
        assert not [name for name in book.namelist() if "external" in name.lower() or "hyperlink" in name.lower()]
        assert b"<f" not in re.sub(rb"<f[io]", b"", book.read("xl/worksheets/sheet1.xml"))
        assert b"ooxml/2006/relationships/hyperlink" not in b"".join(map(book.read, book.namelist()))
    return pl.read_excel(path, infer_schema_length=0).cast(pl.String).to_dicts()


def guarded(text: str, column: str, suffix: str) -> str:
    """What a text is in a file: in CSV a spreadsheet must not calculate it."""
    return f"'{text}" if suffix == "csv" and column in GUARDED and text.startswith(FORMULA_STARTS) else text


def of_lines(hostile: Hostile) -> tuple[list[str], list[tuple[str, str]]]:
    customers = customers_of(hostile)
    return ["customer_id", "description"], [(c, text) for c in customers for text in descriptions_of(hostile, c)]


def of_rated(hostile: Hostile) -> tuple[list[str], list[tuple[str, ...]]]:
    return ["call_id"], [(call_id,) for call_id in hostile.calls]


def of_files(hostile: Hostile) -> tuple[list[str], list[tuple[str, ...]]]:
    paths = {*hostile.calls.values(), str(hostile.folder / "cdrs" / "dirty.csv")}
    return ["source_file"], [(path,) for path in paths]


def of_quarantine(hostile: Hostile) -> tuple[list[str], list[tuple[str, ...]]]:
    return ["call_id", "record"], list(hostile.set_aside.items())


def of_journal(hostile: Hostile) -> tuple[list[str], list[tuple[str, ...]]]:
    numbered = enumerate(customers_of(hostile).values(), start=1)
    rows = [(row["name"], row["vat_number"], f"2026-{number:06d} {row['name']}") for number, row in numbered]
    return ["name", "vat_number", "label"], rows


def of_credit_notes(hostile: Hostile) -> tuple[list[str], list[tuple[str, ...]]]:
    return ["reason"], [(reason,) for reason in hostile.reasons]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("table", "expected", "least"),
    [
        ("lines", of_lines, 550),
        ("rated", of_rated, 140),
        ("files", of_files, 30),
        ("quarantine", of_quarantine, 350),
        ("journal", of_journal, 10),
        ("credit_notes", of_credit_notes, 2),
    ],
)
def test_attack__a_table_gives_the_text_back(
    table: str,
    expected: Callable[[Hostile], tuple[list[str], list[tuple[str, ...]]]],
    least: int,
    suffix: str,
    hostile: Hostile,
) -> None:
    columns, wanted = expected(hostile)
    rows = read_back(hostile.exported(table, suffix))
    if table == "quarantine":
        # A caller that is cut before it can be judged is accepted, and then nobody's.
        rows = [row for row in rows if row["reason"] == "malformed"]
        wanted = [row for row in wanted if row[0] in {found["call_id"] for found in rows}]
    if table == "lines":
        rows = [row for row in rows if row["kind"] in ("recurring", "traffic", "one_off", "credit")]
        rows = [row for row in rows if row["product_id"] not in ("pack", "seat")]
    if table == "journal":
        rows = [row for row in rows if str(row["row_no"]) == "1"]
    found = sorted(tuple(str(row[name]) for name in columns) for row in rows)
    as_written = sorted(
        tuple(guarded(text, name, suffix) for name, text in zip(columns, row, strict=True)) for row in wanted
    )
    pairs = [(a, b) for one, other in zip(found, as_written, strict=True) for a, b in zip(one, other, strict=True)]
    assert compared(f"cells of {table}.{suffix}", list(pairs)) >= least


def test_attack__no_cell_of_a_csv_of_free_text_begins_with_a_formula(hostile: Hostile) -> None:
    cells = [
        (table, name, text)
        for table in EXPORTED
        for row in read_back(hostile.exported(table, "csv"))
        for name, text in row.items()
        if name in GUARDED and text and text.startswith(FORMULA_STARTS)
    ]
    assert cells == []


# Documents


def of_document(hostile: Hostile, customer_id: str) -> list[str]:
    """Every text on the invoice of a customer, of both parties too."""
    customer = customers_of(hostile)[customer_id]
    party = [customer[name] for name in ("name", "street", "postal_code", "city", "vat_number")]
    supplier = [hostile.supplier[name] for name in SUPPLIER_TEXTS]
    reason = [hostile.vat_reason] if customer["vat_category"] == "E" else []
    return [*descriptions_of(hostile, customer_id), *party, *supplier, *reason]


def documents(hostile: Hostile, suffix: str) -> list[tuple[Path, list[str]]]:
    """Each document with the texts that are on it: those of invoices, then of credit notes."""
    folder = hostile.store / "invoices" / "2026"
    found = [
        (folder / f"2026-{place:06d}.{suffix}", of_document(hostile, customer_id))
        for place, customer_id in enumerate(customers_of(hostile), start=1)
    ]
    notes = sorted((hostile.store / "invoices").rglob(f"CN*.{suffix}"))
    return [*found, *((path, [reason]) for path, reason in zip(notes, hostile.reasons, strict=True))]


def test_attack__a_pdf_shows_the_text(hostile: Hostile) -> None:
    pairs = []
    for path, texts in documents(hostile, "pdf"):
        shown = bare(text_of(path))
        pairs += [held(bare(text), shown, f"in {path.name}") for text in texts]
    assert compared("cells of PDF", pairs) >= 600


def test_attack__a_web_page_shows_the_text_and_holds_nothing_else(hostile: Hostile) -> None:
    pairs = []
    for path, texts in documents(hostile, "html"):
        page = path.read_text(encoding="utf-8")
        tree = etree.HTML(page)
        assert {element.tag for element in tree.iter()} <= set(PAGE_ELEMENTS.split())
        attributes = {(element.tag, name) for element in tree.iter() for name in element.attrib}
        assert {name for _, name in attributes if name.startswith("on") or name in ("style", "src", "srcset")} == set()
        assert tree.xpath("//@href") == ["data:,"]
        assert len(tree.xpath("//style")) == 1
        assert hostile.texts.web not in tree.xpath("string(//style)")
        shown = bare("".join(tree.xpath("//body//text()")))
        pairs += [held(bare(text), shown, f"in {path.name}") for text in texts]
    assert compared("cells of web pages", pairs) >= 600


def test_attack__an_electronic_invoice_holds_the_text(hostile: Hostile) -> None:
    pairs: list[tuple[str, str]] = []
    for path, texts in documents(hostile, "xml"):
        if not path.exists():
            assert path.name == f"2026-{len(LANGUAGES) + 1:06d}.xml"
            continue
        tree = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False))
        whole = set(tree.itertext())
        notes = " ".join(text or "" for text in tree.itertext(f"{CBC}Note"))
        wanted = [printable(text).strip() for text in texts if text != hostile.supplier["website"]]
        pairs += [(text, text) if text in whole else held(text, notes, f"in {path.name}") for text in wanted]
    assert compared("cells of electronic invoices", pairs) >= 500


# What is refused


def test_attack__a_text_where_an_id_or_a_day_belongs_is_refused_in_one_line(hostile: Hostile, tmp_path: Path) -> None:
    texts = hostile.texts.many(150, tuple(text for text in OF_ONE_LINE if len(text) < 60))
    names = list(hostile.tables["charges"][0])
    for path in (hostile.folder / "platform").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "charges.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for place, text in enumerate(texts):
            row = hostile.tables["charges"][0] | {"charge_id": f"x{place}"}
            writer.writerow(row | {("charge_id", "date", "quantity")[place % 3]: text})
    told = hostile.start("check", tmp_path, "--now", NOW)
    assert told.status == 2
    assert told.stdout == ""
    first, *lines = told.stderr.split("\n")[:-1]
    assert first == f"centime: 150 problems in the platform tables of {tmp_path}"
    assert len(lines) == len(texts)
    assert [line for line in lines if not (line.startswith(f"  {tmp_path}/charges.csv:") and line.isprintable())] == []
    told_of = [" ".join(MARK.findall(line)[:1]) for line in lines]
    compared("refusals", [(mark, MARK.findall(text)[0]) for mark, text in zip(told_of, texts, strict=True)])
    as_json = hostile.start("check", tmp_path, "--json", "--now", NOW).document
    problems = as_json["problems"]
    assert isinstance(problems, list)
    shown = [text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..." for text in texts]
    compared("refused texts", [(problem["value"], text) for problem, text in zip(problems, shown, strict=True)])


@pytest.mark.parametrize("text", ["\x1b[31mx", "a\nb", "\u202ex", "\x9bx", "\u2028x"])
def test_attack__a_control_in_an_argument_is_shown_and_not_obeyed(text: str, hostile: Hostile) -> None:
    for words in (
        ["explain", text], ["export", text, PERIOD, "-o", "x.csv"], ["export", "lines", PERIOD, "-o", text], [text],
        ["run", text, "--platform", text], ["read", text], ["credit", text, "--all", "--reason", "x"],
        ["history", text], ["check", text], ["verify", "--now", text], ["history", "--lang", text],
        ["explain", "2026-000001", text], ["credit", text, "--all", "--reason", "x", "--by", text],
    ):  # fmt: skip
        told = hostile.start(*words)
        assert told.status == 2, words
        assert "Traceback" not in told.stderr
        assert not {letter for letter in told.stderr if not letter.isprintable()} - {"\n"}, (words, told.stderr)


# What nobody may have done


def test_attack__names_of_files_in_the_store_are_the_programs_own(hostile: Hostile) -> None:
    names = {str(path.relative_to(hostile.store)) for path in hostile.store.rglob("*")}
    assert [name for name in names if not re.fullmatch(r"[a-z0-9A-Z/._=-]+", name) or MARK.search(name)] == []


def test_attack__nothing_tells_a_secret(hostile: Hostile) -> None:
    assert not [words for words, told in hostile.told.items() if SECRET in told.stdout + told.stderr]
    files = [path for folder in ("store", "exports") for path in (hostile.folder / folder).rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    pdfs = [path for path, _ in documents(hostile, "pdf")]
    assert not [path for path in pdfs if SECRET in text_of(path)]
    attached = [name for path in pdfs for name in PdfReader(path).attachments]
    assert {name.rpartition(".")[2] for name in attached} == {"xml"}


def test_attack__no_two_texts_are_the_same(hostile: Hostile) -> None:
    cells = [text for rows in hostile.tables.values() for row in rows for text in row.values()]
    marked = [text for text in cells if MARK.search(text)]
    assert len(marked) == len(set(marked)) >= 600
