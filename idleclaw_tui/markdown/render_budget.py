"""What drawing an answer may cost: limits on its Markdown, and how often it is drawn."""

from typing import Final

MAX_BRACKETS: Final = 3_000
"""Parsing takes time that grows with the square of the number of open brackets."""

MAX_LINKIFIED: Final = 50
"""Finding bare addresses takes time that grows with the cube of their number in a row."""

MAX_HIGHLIGHTED_LINES: Final = 400
MAX_HIGHLIGHTED_CHARS: Final = 20_000
MAX_HIGHLIGHTED_LINE: Final = 1_000
"""The rules for the colours of code are not made for lines that no human wrote."""

FLUSH_SECONDS: Final = 0.1
MAX_FLUSH_SECONDS: Final = 1.0
_MAX_SHARE: Final = 0.25


class TooCostlyError(Exception):
    """The text would take too much time to be read as Markdown."""


def check_source(source: str) -> None:
    """Raise TooCostlyError where `source` would take too long to parse."""
    if source.count("[") > MAX_BRACKETS:
        raise TooCostlyError


def may_linkify(source: str) -> bool:
    """Return whether bare addresses in `source` can be made links in a moment."""
    return source.count("://") <= MAX_LINKIFIED


def may_highlight(code: str) -> bool:
    """Return whether `code` can be coloured in a moment."""
    return (
        len(code) <= MAX_HIGHLIGHTED_CHARS
        and code.count("\n") < MAX_HIGHLIGHTED_LINES
        and max(map(len, code.split("\n"))) <= MAX_HIGHLIGHTED_LINE
    )


def flush_delay(took: float) -> float:
    """Return the seconds to wait after a drawing that took `took` seconds.

    About ten drawings a second while they are cheap; otherwise a quarter of the time goes to
    drawing, and one second passes at most.
    """
    return min(max(FLUSH_SECONDS, took * (1 / _MAX_SHARE - 1)), MAX_FLUSH_SECONDS)
