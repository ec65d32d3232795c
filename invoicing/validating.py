"""`centime validate`: electronic invoices of any origin, judged by the official rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.rule_sets import rules_version
from invoicing.documents.validation import parse, validator
from schemas.errors import InputRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from invoicing.desk import Report

COLUMNS = ["file", "layer", "rule", "weight", "text", "location"]


def validate_files(paths: Sequence[Path], rules_dir: str, report: Report) -> None:
    """Judge each file; every rule it breaks is a row of the table `Violations`.

    Raises:
        InputRefused: where the rules are not installed, or a file cannot be read or is no XML: nothing is judged.
    """
    rules = validator(rules_dir)
    roots = _roots(paths)
    rows = [
        (str(path), each.layer, each.rule, "fatal" if each.fatal else "warning", each.text, each.location)
        for path, root in roots.items()
        for each in rules.violations(root)
    ]
    table = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    fatal = table.filter(pl.col("weight") == "fatal")
    broken = fatal.group_by("file", maintain_order=True).agg(pl.col("rule").unique(maintain_order=True))
    report.tables["Violations"] = table
    report.counts = {"files": len(roots), "valid": len(roots) - broken.height, "violations": fatal.height}
    report.attention += [f"{file}: not valid ({', '.join(rules_broken)})" for file, rules_broken in broken.iter_rows()]
    if table.height > fatal.height:
        report.warnings.append(f"{table.height - fatal.height} warnings of the rules")
    report.messages.append(f"{report.counts['valid']} of {len(roots)} files valid by {rules_version(rules_dir)}")


def _roots(paths: Sequence[Path]) -> dict[Path, object]:
    """The root of each file, all of them read before any is judged.

    Raises:
        InputRefused: naming every file that cannot be read or is no XML.
    """
    roots: dict[Path, object] = {}
    problems = []
    for path in paths:
        try:
            roots[path] = parse(path.read_bytes())
        except OSError as error:
            problems.append(Problem("documents", str(path), 0, "", "", f"cannot be read ({error.strerror})"))
        except ValueError as error:
            problems.append(Problem("documents", str(path), 0, "", "", str(error)))
    if problems:
        raise InputRefused("not every file can be judged; none was", tuple(problems))
    return roots
