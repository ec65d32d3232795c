"""What is given on the command line: each argument and option has the value that Typer would make of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer import Context
from typer._coercion import build_runtime_param

from cli import AsWritten, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Place

ONE = ("", "a", " b c ", "é", "./x/../y", "-", "7", Path("store"), Path("a/b"), None)
FIGURES = ("7", "-3", " 12 ", None)
WRITTEN: dict[Any, tuple[object, ...]] = {
    str: ONE[:-3], Path: ONE, bool: (True, False, "yes", None), int: FIGURES,
    list[str]: ((), [], ["a"], ("a", "é", ""), None), list[Path]: ((), ["a", Path("b")], None),
    list[int]: ((), ["1", "2"], None),
}  # fmt: skip


def parameters(command: Any) -> Iterator[Any]:  # noqa: ANN401 - commands and parameters of Typer have no common type
    """The arguments and options of a command and of all below it."""
    yield from (each for each in command.params if hasattr(each, "type_descriptor"))
    for below in getattr(command, "commands", {}).values():
        yield from parameters(below)


def test_values__are_those_that_typer_makes() -> None:
    context = Context(commands())  # type: ignore[arg-type]
    every = list(parameters(commands()))
    assert {each.type_descriptor.annotation for each in every} == set(WRITTEN)
    for each in every:
        descriptor = each.type_descriptor
        ours, typers = AsWritten(descriptor.parameter_info, descriptor.annotation), build_runtime_param(descriptor)
        for value in WRITTEN[descriptor.annotation]:
            made, expected = (by.coerce(value, each, context) for by in (ours, typers))
            assert (type(made), made) == (type(expected), expected), (each.name, value)


@pytest.mark.parametrize("arguments", [("explain", "a\udcff"), ("read", "x\udcff.csv")])
def test_values__that_are_not_utf_8_are_refused(arguments: tuple[str, ...], filled: Place) -> None:
    refused = filled.start(*arguments)
    assert refused.status == 2
    assert r"\udcff" in refused.stderr
    assert "is not UTF-8" in refused.stderr
