"""Validation: an electronic invoice is judged in three layers: UBL 2.1, EN 16931, Peppol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from invoicing.documents.rule_sets import not_validated, require_rules, rule_files, schema_file
from schemas.errors import InputRefused

SCHEMA = "UBL 2.1"
ROOTS = ("Invoice", "CreditNote")
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
NAMESPACES = re.compile(r"\[namespace-uri\(\)='[^']*'\]|\*:|Q\{[^}]*\}")
PREFIX = re.compile(r"^\s*\[[A-Z0-9-]+\]\s*-?\s*")
# A rule is about the document, and the only file that its processor may open is the rule set itself.
ALLOWED_PROTOCOLS = "http://saxon.sf.net/feature/allowedProtocols"


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One rule that a document breaks.

    Attributes:
        layer: `UBL 2.1`, `EN 16931` or `Peppol`.
        rule: The rule's id; of a schema, the kind of error; of a processor that failed, its exception.
        location: The path of the element.
        text: What the rule says.
        fatal: Whether the document is not valid; else it is a warning.
    """

    layer: str
    rule: str
    location: str
    text: str
    fatal: bool = True


class Validator:
    """The rule sets, compiled: about a second and 120 MB, once per process."""

    def __init__(self, rules_dir: str) -> None:
        """Compile them; a rule set that cannot be compiled breaks every document, which then says so."""
        from saxonche import PySaxonProcessor  # noqa: PLC0415 - it is an option, and takes 60 MB

        self._schemas = {name: etree.XMLSchema(etree.parse(schema_file(name))) for name in ROOTS}
        self._saxon = PySaxonProcessor(license=False)
        self._saxon.set_configuration_property(ALLOWED_PROTOCOLS, "file")
        compiler = self._saxon.new_xslt30_processor()
        self._rules: dict[str, Any] = {}
        self._failures: list[Violation] = []
        for layer, path in rule_files(rules_dir).items():
            try:
                self._rules[layer] = compiler.compile_stylesheet(stylesheet_file=str(path))
            except Exception as error:  # noqa: BLE001 - whatever it was, nothing is judged by them
                self._failures.append(_failure(layer, error))

    def violations(self, root: Any) -> list[Violation]:  # noqa: ANN401 - lxml carries no types
        """Every rule that a document breaks, by layer; a failure of the processor is one, a want of memory is not."""
        found = [*self._schema_violations(root), *self._failures]
        for layer, rules in self._rules.items():
            try:
                found += _rule_violations(layer, self._report(root, rules))
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - a document that could not be judged is not valid
                found.append(_failure(layer, error))
        return found

    def _schema_violations(self, root: Any) -> list[Violation]:  # noqa: ANN401
        schema = self._schemas.get(etree.QName(root).localname, self._schemas[ROOTS[0]])
        if schema.validate(root):
            return []
        return [Violation(SCHEMA, error.type_name, error.path, _plain(error.message)) for error in schema.error_log]

    def _report(self, root: Any, rules: Any) -> bytes:  # noqa: ANN401
        """What the rules say of a document, as SVRL."""
        document = self._saxon.parse_xml(xml_text=etree.tostring(root, encoding="unicode"))
        report = rules.transform_to_string(xdm_node=document)
        return str(report).encode()


@cache
def validator(rules_dir: str = "") -> Validator:
    """The validator of this process.

    Raises:
        InputRefused: where a package or a file of rules is missing.
    """
    require_rules(rules_dir)
    unable = not_validated()
    if unable:
        raise InputRefused(unable)
    return Validator(rules_dir)


def parse(content: bytes) -> Any:  # noqa: ANN401
    """The root of an XML document; nothing that it names is opened.

    Raises:
        ValueError: where it is no XML, or has a document type, which an electronic invoice must not have.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"is no XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise ValueError("has a document type (DOCTYPE), which an electronic invoice must not have")
    return root


def _rule_violations(layer: str, report: bytes) -> list[Violation]:
    """What a report says; one in which no rule was about the document is no verdict.

    Raises:
        ValueError: for such a one.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(report, parser)
    if root.find(f".//{SVRL}fired-rule") is None:
        raise ValueError("none of them is about this document")
    return [
        Violation(
            layer,
            failed.get("id", ""),
            NAMESPACES.sub("", failed.get("location", "")),
            PREFIX.sub("", _plain(failed.findtext(f"{SVRL}text", ""))),
            failed.get("flag", "fatal") != "warning",
        )
        for failed in root.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
    ]


def _failure(layer: str, error: Exception) -> Violation:
    return Violation(layer, type(error).__name__, "/", f"the rules could not be applied: {_plain(str(error))}")


def _plain(text: str) -> str:
    """On one line, and names without their namespaces."""
    return " ".join(re.sub(r"\{[^}]*\}", "", text).split())
