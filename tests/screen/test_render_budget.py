"""What drawing an answer may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.markdown.render_budget import (
    FLUSH_SECONDS,
    MAX_BRACKETS,
    MAX_FLUSH_SECONDS,
    MAX_HIGHLIGHTED_CHARS,
    MAX_HIGHLIGHTED_LINE,
    MAX_HIGHLIGHTED_LINES,
    TooCostlyError,
    check_source,
    flush_delay,
    may_highlight,
    may_linkify,
)


def test_what_takes_long_to_parse_is_refused_before() -> None:
    check_source("[word](https://example.com)\n\n" * 1_000)
    with pytest.raises(TooCostlyError):
        check_source("![" * (MAX_BRACKETS + 1))


def test_addresses_in_a_row_are_left_alone() -> None:
    assert may_linkify("see https://example.com and http://example.org/x")
    assert not may_linkify("http://a." * 100)


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\n" * MAX_HIGHLIGHTED_LINES,
        "x" * (MAX_HIGHLIGHTED_LINE + 1),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 350,
    ],
    ids=["lines", "a line", "characters"],
)
def test_code_that_takes_long_to_colour_has_no_colours(code: str) -> None:
    assert not may_highlight(code)


def test_ordinary_code_has_colours() -> None:
    assert may_highlight("")
    assert may_highlight("def f() -> None:\n    return None\n" * 100)
    assert MAX_HIGHLIGHTED_CHARS < 350 * 63


@given(st.floats(min_value=0, max_value=100))
def test_drawing_takes_a_quarter_of_the_time_at_most(took: float) -> None:
    delay = flush_delay(took)
    assert FLUSH_SECONDS <= delay <= MAX_FLUSH_SECONDS
    assert delay == MAX_FLUSH_SECONDS or took <= 0.2501 * (took + delay)
