"""No regular expression of the code is one that Python 3.11.2 to 3.11.4 gets wrong.

Possessive quantifiers and atomic groups can match there what they must not, or fail to match.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import idleclaw_protocol
import idleclaw_server
import idleclaw_tui

ROOT = Path(__file__).parents[2]
PACKAGES = (idleclaw_protocol, idleclaw_server, idleclaw_tui)
FUNCTIONS = (
    "compile",
    "search",
    "match",
    "fullmatch",
    "split",
    "findall",
    "finditer",
    "sub",
    "subn",
)
_parser: Any = importlib.import_module("re._parser")


def _operations(parsed: Any) -> Iterator[str]:
    """Return the names of all operations in a parsed pattern, however deep."""
    if isinstance(parsed, str | int) or parsed is None:
        yield str(parsed)
    else:
        for part in parsed:
            yield from _operations(part)


def _is_misread(pattern: str, flags: int = 0) -> bool:
    said = set(_operations(_parser.parse(pattern, flags & ~re.DEBUG)))
    return not said.isdisjoint({"POSSESSIVE_REPEAT", "ATOMIC_GROUP"})


def _literals(source: str) -> Iterator[str]:
    """Return the patterns that are given to `re` where they stand."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=function),
                args=[ast.Constant(value=str(pattern)), *_],
            ) if function in FUNCTIONS:
                yield pattern


def _constants(module: ModuleType) -> Iterator[re.Pattern[str]]:
    """Return the patterns that a module has compiled for itself, also those kept as a method."""
    for value in vars(module).values():
        pattern = getattr(value, "__self__", value)
        if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
            yield pattern


@pytest.mark.parametrize("pattern", ["a++", "(x|b*+)c", "(?>a)", "[a-z]?+", "(?:a{2,3}+)*"])
def test_what_is_looked_for_is_found(pattern: str) -> None:
    assert _is_misread(pattern)
    assert not _is_misread(re.escape(pattern))


def test_no_pattern_is_misread_by_an_older_python() -> None:
    looked_at = 0
    for folder in ("idleclaw_tui", "server", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for pattern in _literals(path.read_text(encoding="utf-8")):
                assert not _is_misread(pattern), (path, pattern)
                looked_at += 1
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                for compiled in _constants(importlib.import_module(found.name)):
                    assert not _is_misread(compiled.pattern, compiled.flags), found.name
                    looked_at += 1
    assert looked_at > 80
