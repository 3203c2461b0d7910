"""Decoding of chat streams, for the events of both kinds of router."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.text_safety import clean, is_unsafe
from idleclaw_tui.router.chat_stream import (
    BROKEN_OFF,
    MAX_EVENT_CHARS,
    NOT_UNDERSTOOD,
    TOO_LONG,
    UNEXPLAINED,
    ChatStream,
)
from idleclaw_tui.router.chat_updates import (
    ChatUpdate,
    Finished,
    TextPiece,
    ThinkingPiece,
    ToolProgress,
    Waiting,
)
from tests.fake_router_http import TIMINGS, USAGE, chunk

DONE = "[DONE]"


def delta(content: str | None, **extra: Any) -> str:
    """Return the data of an event with this text."""
    return json.dumps(chunk({"content": content, **extra}))


def decoded(*data: str) -> list[ChatUpdate]:
    """Return all updates of a stream that ends after `data`."""
    stream = ChatStream()
    return [update for item in data for update in stream.decode(item)] + stream.flush()


def texts(updates: list[ChatUpdate]) -> str:
    """Return the visible text of the answer."""
    return "".join(update.text for update in updates if isinstance(update, TextPiece))


def end(updates: list[ChatUpdate]) -> Finished:
    """Return the last update, which must be the only end."""
    assert [update for update in updates if isinstance(update, Finished)] == updates[-1:]
    assert isinstance(updates[-1], Finished)
    return updates[-1]


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    """Return `text` cut at `cuts`, taken modulo its length."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


STOP = json.dumps(chunk({}, finish_reason="stop", usage=USAGE, timings=TIMINGS))


def test_text_usage_and_timings_of_our_router() -> None:
    updates = decoded(delta("Hel"), delta("lo"), STOP, DONE)
    assert updates[:2] == [TextPiece("Hel"), TextPiece("lo")]
    finished = end(updates)
    assert finished.reason == "stop"
    assert finished.error is None
    assert finished.usage is not None
    assert finished.usage.completion_tokens == 5
    assert finished.timings is not None
    assert finished.timings.tokens_per_second == 10.0


def test_original_ends_without_a_reason() -> None:
    assert decoded(delta("Hello"), DONE) == [TextPiece("Hello"), Finished(None)]


def test_thinking_is_told_apart_and_cleaned_apart() -> None:
    updates = decoded(delta("hm\x1b[", reasoning=True), delta("Hi"), delta("31mm", reasoning=True))
    assert updates[:3] == [ThinkingPiece("hm"), TextPiece("Hi"), ThinkingPiece("m")]


def test_tools_and_waiting() -> None:
    updates = decoded(
        json.dumps(chunk({}, state="queued", queue={"position": 2, "eta_seconds": 6.0})),
        json.dumps(chunk({}, queue={"position": 0, "eta_seconds": -1})),
        json.dumps(chunk({}, state="loading")),
        json.dumps(chunk({"tool_call": {"name": "web\x1b[8m_search", "status": "executing"}})),
    )
    assert updates[:-1] == [
        Waiting("queued", 2, 6.0),
        Waiting("queued"),
        Waiting("loading"),
        ToolProgress("web_search", "executing"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("request timed out", "The node stopped answering."),
        ("Node 7f-secret disconnected", "The node left before the answer was complete."),
        ("ollama_error", "The node's Ollama failed."),
        ("odd\x1b]0;x\x07 thing", "The router ended the answer: odd thing."),
        ("", UNEXPLAINED),
    ],
)
def test_errors_of_the_original_are_not_text(text: str, sentence: str) -> None:
    updates = decoded(delta("Hel"), delta(f"\n\n[Error: {text}]"), DONE)
    assert texts(updates) == "Hel"
    finished = end(updates)
    assert finished.reason == "error"
    assert (finished.error or "").startswith(sentence)
    assert "secret" not in (finished.error or "")


def test_what_looks_like_an_error_is_text_when_more_follows() -> None:
    looks = "\n\n[Error: x]"
    assert texts(decoded(delta(looks), delta("more"), DONE)) == f"{looks}more"
    assert texts(decoded(delta(looks), delta(looks), delta("."), DONE)) == f"{looks}{looks}."
    assert texts(decoded(delta(looks), STOP, DONE)) == looks


def test_an_error_before_a_cut_is_still_the_error() -> None:
    assert end(decoded(delta("\n\n[Error: ollama_error]"))).error != BROKEN_OFF


def test_an_error_of_our_router_is_not_shown_twice() -> None:
    message = "The node left. Ask again."
    failed = chunk(
        {"content": f"\n\n[Error: {message}]"},
        finish_reason="error",
        error={"code": "node_lost", "message": message},
    )
    assert decoded(delta("Hel"), json.dumps(failed), DONE) == [
        TextPiece("Hel"),
        Finished("error", error=message),
    ]
    repeated = decoded(delta(f"\n\n[Error: {message}]"), json.dumps(failed), DONE)
    assert repeated == [Finished("error", error=message)]
    kept = decoded(delta("\n\n[Error: of the text]"), json.dumps(failed), DONE)
    assert texts(kept) == "\n\n[Error: of the text]"


def test_an_answer_cut_short_is_told_by_its_reason_and_not_as_text() -> None:
    delta = {"content": "\n\n[Cut here: an answer has at most 5 characters.]"}
    notice = "Cut here: an answer has at most 5 characters."
    updates = decoded(
        json.dumps(chunk({"content": "12345"})),
        json.dumps(chunk(delta, finish_reason="length", notice=notice)),
    )
    assert texts(updates) == "12345"
    assert end(updates).reason == "length"


def test_an_error_without_an_object_takes_the_text() -> None:
    failed = chunk({"content": "\n\n[Error: no luck]"}, finish_reason="error")
    assert end(decoded(json.dumps(failed))).error == (
        "The router ended the answer: no luck. Ask again."
    )
    bare = json.dumps(chunk({}, finish_reason="error", error={"code": "x", "message": "\x07"}))
    assert end(decoded(bare)).error == UNEXPLAINED


def test_a_stream_that_just_stops_is_cut() -> None:
    assert decoded(delta("Hel")) == [TextPiece("Hel"), Finished("error", error=BROKEN_OFF)]
    assert decoded() == [Finished("error", error=BROKEN_OFF)]


def test_nothing_comes_after_the_end() -> None:
    stream = ChatStream()
    assert stream.decode(STOP) != []
    assert stream.finished
    assert [*stream.decode(delta("more")), *stream.decode(DONE), *stream.flush()] == []


@pytest.mark.parametrize(
    "data",
    ["", "{", "[]", "null", '{"choices": []}', '{"choices": null}', '{"choices": [{"delta": 1}]}'],
)
def test_what_is_no_event_ends_the_answer_clearly(data: str) -> None:
    updates = decoded(delta("Hel"), data, delta("lo"), DONE)
    assert texts(updates) == "Hel"
    assert end(updates).error == NOT_UNDERSTOOD


def test_an_event_without_end_is_refused() -> None:
    assert end(decoded(delta("x" * MAX_EVENT_CHARS))).error == TOO_LONG


@pytest.mark.parametrize(
    "extra",
    [
        {"state": "meditating"},
        {"queue": {"position": "many"}},
        {"usage": {"prompt_tokens": None}, "timings": 7},
        {"usage": {"prompt_tokens": -1}, "timings": {"total": -1}},
    ],
)
def test_an_unknown_extension_costs_no_text(extra: dict[str, Any]) -> None:
    updates = decoded(json.dumps(chunk({"content": "Hello"}, **extra)), DONE)
    assert updates == [TextPiece("Hello"), Finished(None)]


HOSTILE = st.text(st.sampled_from("ab\n[]Error: \x1b\x07\x9b\x9d\u2028\u202emX;"), max_size=60)


@given(HOSTILE, st.lists(st.integers(0, 60)), st.lists(st.integers(0, 60)))
def test_any_cut_gives_the_same_text(text: str, cuts: list[int], thinking: list[int]) -> None:
    answer = [delta(piece) for piece in pieces_of(text, cuts)]
    thoughts = [delta(piece, reasoning=True) for piece in pieces_of(text, thinking)]
    updates = decoded(*thoughts, *answer, STOP, DONE)
    assert texts(updates) == clean(text)
    assert "".join(u.text for u in updates if isinstance(u, ThinkingPiece)) == clean(text)
    assert end(updates).reason == "stop"


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "delta", "content", "reasoning", "finish_reason", "error", "message",
             "code", "queue", "position", "eta_seconds", "state", "usage", "timings", "total",
             "tool_call", "name", "status", "x"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip
event_like = st.builds(
    lambda parts, inner, reason: {
        **(parts if isinstance(parts, dict) else {}),
        "choices": [{"delta": inner, "finish_reason": reason}],
    },
    json_values,
    json_values,
    st.sampled_from([None, None, "stop", "error", "odd"]) | json_values,
)


@given(st.lists(st.text(max_size=20) | (json_values | event_like).map(json.dumps), max_size=6))
def test_no_json_crashes_and_nothing_unsafe_gets_through(data: list[str]) -> None:
    updates = decoded(*data)
    finished = end(updates)
    assert (finished.error is not None) == (finished.reason == "error")
    for update in updates:
        match update:
            case TextPiece(text) | ThinkingPiece(text) | ToolProgress(text, _):
                assert is_unsafe(text) is None
            case Finished(error=str(error)):
                assert is_unsafe(error) is None
                assert "\n" not in error
