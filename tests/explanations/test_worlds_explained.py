"""Random worlds: every line of every invoice is explained, adds up, and the rows behind it are all that it bills."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.user_cap import capped_users
from rating.money import MICRO
from rating.periods import Period
from tests.explanations.desks import desk_at, every_invoice
from tests.properties.test_second_reading import in_this_process, runs
from tests.properties.test_worlds import KINDS_AND_RULES
from tests.properties.worlds import draw_world

if TYPE_CHECKING:
    from invoicing.explanations.steps import Explanation

# It has every kind of line under every rule that may bring it about.
QUICK_SEED = 8


def explain_world(seed: int, folder: Path, *codes: str) -> set[tuple[object, object]]:
    """Run the program on a world, explain all that it issued, and give the kinds and rules of the lines."""
    world = draw_world(seed)
    world.write(folder)
    in_this_process(runs(world, folder))
    seen = set()
    with desk_at(folder / "store") as desk:
        for explained in every_invoice(desk, "2", lambda _: codes):
            assert explained.every_fault() == []
            for line in explained.parts:
                seen.add((line.subject["kind"], line.subject["rule"]))
                behind = units_behind(line)
                assert behind in (None, line.subject["quantity_micro"]), line.document()
                assert_months_follow(line, world.settings["cap_rounding"] == "ceil")
    return seen


def units_behind(line: Explanation) -> int | None:
    """The units of the rows behind a line, where they are all that it bills; None where they need not be."""
    rows = {listing.about: listing.rows for listing in line.listings}
    if line.subject["kind"] == "recurring":
        services = rows["services"]
        quantities = services["quantity_micro"] if "quantity_micro" in services.columns else None
        return services.height * MICRO if quantities is None else int(quantities.sum())
    if line.subject["kind"] == "number_minimum":
        return rows["terms"].height * MICRO
    if line.subject["kind"] == "traffic":
        return int(rows["rates"]["charged_s"].sum()) * MICRO
    return None


def assert_months_follow(line: Explanation, ceil: bool) -> None:
    """Each month of R-CAP follows from the one before it."""
    months = [listing.rows for listing in line.listings if listing.about == "months"]
    for before, after in pairwise(months[0].rows(named=True) if months else []):
        opens = Period.parse(after["period"]).opens_quarter
        assert after["reference"] == before["billed" if opens else "reference"], line.document()
        figures = (pl.lit(after[name], pl.Int64) for name in ("configured", "reference"))
        billed = pl.select(capped_users(*figures, "ceil" if ceil else "floor")).item()
        assert after["billed"] == billed == max(after["least"], after["configured"])
        assert after["least"] == after["reference"] - after["reduction"]
        assert after["reserved"] == after["billed"] - after["configured"]


def test_explained__every_line_of_a_world_adds_up(tmp_path: Path) -> None:
    assert explain_world(QUICK_SEED, tmp_path, "en") == KINDS_AND_RULES


@pytest.mark.soak
@settings(max_examples=100, derandomize=False, print_blob=True, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_explained__every_line_of_many_worlds_adds_up(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        explain_world(seed, Path(folder), "fr", "nl", "de", "en")
