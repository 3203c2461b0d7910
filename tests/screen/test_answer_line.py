"""The line below an answer, from the wait to the end."""

from collections.abc import Sequence

import pytest

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.answer import Answer
from idleclaw_tui.answer_line import answer_line, thinking_line
from idleclaw_tui.chat_updates import (
    ChatUpdate,
    Finished,
    TextPiece,
    ThinkingPiece,
    ToolProgress,
    Waiting,
)


def said(updates: Sequence[ChatUpdate], now: float = 4.0) -> str:
    """Return the line after `updates`, the first at 1 s, each a second later."""
    answer = Answer("tiny:1b", 0.0)
    for second, update in enumerate(updates, 1):
        answer.apply(update, float(second))
    return "".join(part.text for part in answer_line(answer, now))


@pytest.mark.parametrize(
    ("updates", "line"),
    [
        ([], "◌ tiny:1b · waiting for the first token · 4 s"),
        ([Waiting("waiting")], "◌ tiny:1b · waiting for the first token · 4 s"),
        ([Waiting("loading")], "◐ tiny:1b · loading the model · 4 s"),
        (
            [Waiting("queued", 2, 6.0)],
            "◌ tiny:1b · waiting · 2nd in line · about 6 s · esc stops",
        ),
        ([Waiting("queued")], "◌ tiny:1b · waiting · 4 s · esc stops"),
        ([ThinkingPiece("hm")], "◐ tiny:1b · thinking · 4 s · esc stops"),
        ([ToolProgress("web_search", "executing")], "◐ tiny:1b · using web_search · 4 s"),
        ([TextPiece("a")], "● tiny:1b · 1 token · esc stops"),
        (
            [TextPiece("a"), TextPiece("b"), TextPiece("c")],
            "● tiny:1b · 3 tokens · 1.0 tok/s · esc stops",
        ),
    ],
)
def test_the_line_while_an_answer_comes_in(updates: list[ChatUpdate], line: str) -> None:
    assert said(updates) == line


def test_the_line_of_a_complete_answer() -> None:
    usage = Usage(completion_tokens=412)
    timings = Timings(queued=2.1, first_token=0.9, total=12.0, tokens_per_second=38.2)
    line = said([TextPiece("a"), Finished("stop", usage, timings)])
    assert line == "✓ tiny:1b · 412 tokens · 38 tok/s · first token 0.9 s · queued 2.1 s"


def test_a_router_without_timings_leaves_what_was_observed() -> None:
    line = said([TextPiece("a"), TextPiece("b"), Finished(None)])
    assert line == "✓ tiny:1b · 2 tokens · 1.0 tok/s · first token 1.0 s"


@pytest.mark.parametrize(
    ("finished", "end"),
    [
        (Finished("length"), "cut at the length limit · ^g continue · ^r again"),
        (Finished("tool_calls"), "ended with a tool call"),
    ],
)
def test_the_line_says_why_an_answer_ended_early(finished: Finished, end: str) -> None:
    assert said([TextPiece("a"), finished]).endswith(end)


def test_a_failed_answer_says_why_what_is_kept_and_the_key() -> None:
    line = said([TextPiece("a"), Finished("error", error="The node left")])
    assert line == "✕ The node left. tiny:1b · 1 token kept · ^g continue · ^r again"
    assert said([Finished("error", error="No.")]) == "✕ No. tiny:1b · ^r again · ^e edit"


def test_a_stopped_answer_says_when() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.end("stopped", 1.0)
    assert "stopped before the first token" in answer_line(answer, 2.0)[1].text
    answer = Answer("tiny:1b", 0.0)
    answer.apply(TextPiece("a"), 1.0)
    answer.end("stopped", 2.0)
    said_then = "tiny:1b · stopped after 1 token · ^g continue · ^r again"
    assert answer_line(answer, 2.0)[1].text == said_then


def test_an_empty_answer_says_so() -> None:
    assert said([Finished("stop")]).endswith("an empty answer, ^r asks again")


def test_thinking_says_how_long() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.apply(ThinkingPiece("hm"), 1.0)
    assert thinking_line(answer, 13.0) == "◐ thinking 12 s"
    answer.apply(TextPiece("a"), 13.0)
    assert thinking_line(answer, 99.0) == "thought for 12 s"
