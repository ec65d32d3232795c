"""A second start, steps instead of a run, a start that is refused: nothing is changed, doubled or left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoicing.store import Store
from tests.faults.stores import RUN, begin_anew, contents, differences

if TYPE_CHECKING:
    from tests.cli.program import Place
    from tests.faults.stores import Step


@pytest.fixture
def issued(october: Place, steps: dict[str, Step]) -> Place:
    """October read and issued, and its documents not written yet."""
    begin_anew(october, steps["publish"].begun)
    return october


@pytest.mark.parametrize("arguments", [["verify"], RUN, ["read", "cdrs/november.csv"], ["explain", "2026-000001"]])
def test_store__two_at_once_one_works_and_the_other_is_told_who(arguments: list[str], issued: Place) -> None:
    with Store(issued.store).locked("`centime run` of anna, process 12"):
        done = issued.start(*arguments)
    assert done.status == 3
    assert "in use by `centime run` of anna, process 12" in done.stderr


def test_r_invoice__a_second_run_changes_nothing_and_says_so(issued: Place, steps: dict[str, Step]) -> None:
    for _ in range(2):
        done = issued.start(*RUN)
        assert done.status == 0, done.stderr
        assert "what was issued is not changed" in done.stdout
        assert differences(contents(issued.store), steps["publish"].expected) == []


def test_read__steps_give_what_one_run_gives(steps: dict[str, Step]) -> None:
    # They differ in what was started, and in whether documents were promised with the issue.
    told = {"table events", "table runs"}
    found, expected = (
        {name: of for name, of in steps[step].expected.items() if name not in told} for step in ("publish", "run")
    )
    assert differences(found, expected) == []


def test_run__a_refused_run_leaves_no_store_behind(october: Place) -> None:
    begin_anew(october)
    done = october.start("run", "2026-10", "--platform", "nowhere", "--now", "2026-11-02T10:00:00Z")
    assert done.status == 2
    assert "nowhere" in done.stderr
    assert not october.store.exists()
