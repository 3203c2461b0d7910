"""SECURITY.md names tests; they have to be there, and to be about what it says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROWS = re.compile(r"(A\d+(?:, A\d+)*): ")


def _table() -> dict[str, list[str]]:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    lines = re.findall(r"^\| (A\d+) \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    return {row: re.findall(r"`([^`]+)`", tests) for row, tests in lines}


def _rows(docstring: str | None) -> list[str]:
    found = _ROWS.match(docstring or "")
    return found.group(1).split(", ") if found else []


@cache
def _tests(path: Path) -> dict[str, list[str]]:
    """Return the tests of a file with the rows they are about, their own or the file's."""
    tree = ast.parse(path.read_text("utf-8"))
    of_the_file = _rows(ast.get_docstring(tree))
    return {
        node.name: _rows(ast.get_docstring(node)) or of_the_file
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("row", "tests"), _table().items())
def test_each_row_names_tests_that_are_about_it(row: str, tests: list[str]) -> None:
    assert tests
    for name in tests:
        file, _, test = name.partition("::")
        assert (ROOT / file).is_file(), file
        found = _tests(ROOT / file)
        assert test in found, name
        assert row in found[test], name


def test_every_row_that_some_test_is_about_is_in_the_table() -> None:
    named = {
        row
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for rows in _tests(path).values()
        for row in rows
    }
    assert named - _table().keys() == set()
