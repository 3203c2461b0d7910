"""What drawing an answer may cost, counted as the Markdown widget parses it: piece by piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from idleclaw_tui.render_budget import (
    FLUSH_SECONDS,
    MAX_BLOCKS,
    MAX_BRACKETS,
    MAX_CELLS,
    MAX_FLUSH_SECONDS,
    MarkdownBudget,
    TooCostlyError,
    flush_delay,
    may_linkify,
)

PARSER = MarkdownIt("gfm-like", {"html": False})


def admit_in_pieces(budget: MarkdownBudget, text: str, size: int) -> None:
    """Parse as the widget does: each time from the start of the last top-level block."""
    start = 0
    for end in range(size, len(text) + size, size):
        lines = text[:end].splitlines(keepends=True)[start:]
        tokens = PARSER.parse("".join(lines))
        budget.admit(tokens)
        tops = [token.map[0] for token in tokens if token.map and token.level == 0]
        start += tops[-1] if tops else 0


def test_an_ordinary_long_answer_is_affordable() -> None:
    answer = "# Title\n\nSome *text*.\n\n- one\n- two\n\n```py\ncode\n```\n\n" * 15
    admit_in_pieces(MarkdownBudget(), answer, 40)


@pytest.mark.parametrize(
    "hostile",
    [
        "x\n\n" * (MAX_BLOCKS + 1),
        "# x\n" * (MAX_BLOCKS + 1),
        "- x\n" * (MAX_BLOCKS // 2 + 1),
        "> " * 20 + "x\n\n" + ("> " * 20 + "y\n\n") * 20,
        "|a|b|\n|-|-|\n" + "|x|y|\n" * (MAX_CELLS // 2),
        "|" + "a|" * 60 + "\n|" + "-|" * 60 + "\n" + "x\n" * 4,
    ],
    ids=["paragraphs", "headings", "list", "quotes", "table", "table that fills up"],
)
@pytest.mark.parametrize("size", [7, 100, 100_000])
def test_too_many_widgets_are_refused_however_the_text_was_cut(hostile: str, size: int) -> None:
    with pytest.raises(TooCostlyError):
        admit_in_pieces(MarkdownBudget(), hostile, size)


def test_what_takes_long_to_parse_is_refused_before() -> None:
    budget = MarkdownBudget()
    budget.check_source("[word](https://example.com)\n\n" * 1_000)
    with pytest.raises(TooCostlyError):
        budget.check_source("![" * (MAX_BRACKETS + 1))


def test_addresses_in_a_row_are_left_alone() -> None:
    assert may_linkify("see https://example.com and http://example.org/x")
    assert not may_linkify("http://a." * 100)


@given(st.floats(min_value=0, max_value=100))
def test_drawing_takes_a_quarter_of_the_time_at_most(took: float) -> None:
    delay = flush_delay(took)
    assert FLUSH_SECONDS <= delay <= MAX_FLUSH_SECONDS
    assert delay == MAX_FLUSH_SECONDS or took <= 0.2501 * (took + delay)
