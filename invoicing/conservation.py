"""Conservation: every record and every call is in exactly one place."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rating.rules import rule


@dataclass(frozen=True, slots=True)
class Balance:
    """Calls accepted so far, and where they are."""

    accepted: int
    invoiced: int
    waiting: int
    unrated: int
    credited: int = 0

    @property
    def holds(self) -> bool:
        """Whether every accepted call is in exactly one place."""
        return self.accepted == self.invoiced + self.waiting + self.unrated + self.credited

    def sentence(self) -> str:
        """The balance in words."""
        sign = "=" if self.holds else "is NOT"
        credited = f" + {self.credited} credited" if self.credited else ""
        return (
            f"{self.accepted} calls accepted {sign} {self.invoiced} invoiced + {self.waiting} waiting "
            f"+ {self.unrated} unrated{credited}"
        )


@rule("R-CONSERVATION", article="5.1")
def unbalanced_files(files: pl.DataFrame) -> pl.DataFrame:
    """Per file, records = accepted + unanswered + duplicate + quarantined + skipped; per run, the calls balance too.

    Skipped is what the source of a format left out on purpose, each record under its reason. Calls accepted so far =
    invoiced + waiting (their period has not been run, or they came after it was) + unrated + credited (a correction
    took them off their invoice, and they are never billed again) (`Balance`). Takes the counts of files; gives those
    that do not add up, of which there must be none.
    """
    placed = pl.sum_horizontal("accepted", "unanswered", "duplicate", "quarantined", "skipped")
    return files.filter(pl.col("records") != placed)
