"""What drawing an answer may cost: limits on its Markdown, and how often it is drawn.

A Markdown document becomes one widget per block and per table cell, and every later layout visits
all of them: a few kilobytes of hostile text can stop a screen for seconds.
"""

from collections.abc import Sequence
from typing import Final

from markdown_it.token import Token

MAX_BLOCKS: Final = 300
MAX_CELLS: Final = 200
MAX_MARKDOWN_CHARS: Final = 64_000
MAX_BRACKETS: Final = 3_000
"""Parsing takes time that grows with the square of the number of open brackets."""

MAX_LINKIFIED: Final = 50
"""Finding bare addresses takes time that grows with the cube of their number in a row."""

MAX_HIGHLIGHTED_LINES: Final = 400

FLUSH_SECONDS: Final = 0.1
MAX_FLUSH_SECONDS: Final = 1.0
_MAX_SHARE: Final = 0.25

_CELLS: Final = frozenset(("th_open", "td_open"))
_TABLE_PARTS: Final = frozenset(("thead_open", "tbody_open", "tr_open", *_CELLS))
_LEAVES: Final = frozenset(("fence", "code_block", "hr"))


class TooCostlyError(Exception):
    """The document would take more time or widgets than one message may have."""


def check_source(source: str) -> None:
    """Raise TooCostlyError where `source` would take too long to parse."""
    if source.count("[") > MAX_BRACKETS:
        raise TooCostlyError


class MarkdownBudget:
    """Adds up the widgets of a document that is parsed piece by piece.

    Each piece starts where the last top-level block of the piece before it started, so that block
    is counted anew with every piece and all earlier ones once.
    """

    def __init__(self) -> None:
        self._blocks = 0
        self._cells = 0

    def check_source(self, source: str) -> None:
        """Raise TooCostlyError where the next piece would take too long to parse."""
        if source.count("[") > MAX_BRACKETS:
            raise TooCostlyError

    def admit(self, tokens: Sequence[Token]) -> None:
        """Count the next piece; raise TooCostlyError where the document passes a limit."""
        last = _last_block(tokens)
        self._blocks += _count_blocks(tokens[:last])
        self._cells += _count_cells(tokens[:last])
        if (
            self._blocks + _count_blocks(tokens[last:]) > MAX_BLOCKS
            or self._cells + _count_cells(tokens[last:]) > MAX_CELLS
        ):
            raise TooCostlyError


def _last_block(tokens: Sequence[Token]) -> int:
    for index in range(len(tokens) - 1, -1, -1):
        if tokens[index].level == 0 and tokens[index].map is not None:
            return index
    return 0


def _count_blocks(tokens: Sequence[Token]) -> int:
    return sum(
        token.type in _LEAVES or (token.nesting == 1 and token.type not in _TABLE_PARTS)
        for token in tokens
    )


def _count_cells(tokens: Sequence[Token]) -> int:
    return sum(token.type in _CELLS for token in tokens)


def may_linkify(source: str) -> bool:
    """Return whether bare addresses in `source` can be made links in a moment."""
    return source.count("://") <= MAX_LINKIFIED


def flush_delay(took: float) -> float:
    """Return the seconds to wait after a drawing that took `took` seconds.

    About ten drawings a second while they are cheap; otherwise a quarter of the time goes to
    drawing, and one second passes at most.
    """
    return min(max(FLUSH_SECONDS, took * (1 / _MAX_SHARE - 1)), MAX_FLUSH_SECONDS)
