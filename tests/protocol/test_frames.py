"""Frames: what goes out comes in again, and no input does anything but parse or be refused."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol import limits
from idleclaw_protocol.frame_reading import (
    FrameError,
    read_heartbeat,
    read_object,
    read_register,
    read_router_frame,
)
from idleclaw_protocol.frames import (
    CancelRequest,
    Chunk,
    Frame,
    Heartbeat,
    InferenceCancelled,
    InferenceChunk,
    InferenceDecline,
    InferenceError,
    InferenceRequest,
    OfferedModel,
    Register,
    Registered,
)

In = TypeVar("In")
Out = TypeVar("Out")

_WORD = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20)
_ID = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=64)
_NAME = st.from_regex(r"[a-z][a-z0-9]{0,10}(:[a-z0-9]{1,5})?", fullmatch=True)
_SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
_JSON = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_OFFERED = st.builds(
    OfferedModel,
    name=_NAME,
    size=st.integers(0, limits.MAX_MODEL_BYTES),
    digest=st.none() | st.just("ab12"),
    context_length=st.none() | st.integers(0, limits.MAX_CONTEXT_TOKENS),
    capabilities=st.none() | st.just(("completion", "tools")),
)
_FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(
        Register,
        node_id=_ID,
        models=st.lists(_OFFERED, min_size=1, max_size=20).map(tuple),
        max_concurrent=st.integers(1, 10),
        features=st.frozensets(st.sampled_from(["decline", "cancel_ack", "later"])),
        secret=st.none() | _WORD,
    ),
    st.builds(
        Heartbeat,
        node_id=st.none() | _ID,
        active_requests=st.integers(0, 10),
        available=st.booleans(),
        max_concurrent=st.none() | st.integers(1, 10),
        loaded=st.none() | st.lists(_NAME, max_size=5).map(tuple),
    ),
    st.builds(
        InferenceChunk,
        request_id=_ID,
        chunk=st.builds(Chunk, done=st.booleans(), eval_count=st.none() | st.integers(0, 9)),
    ),
    st.builds(InferenceError, request_id=_ID, error=_WORD),
    st.builds(InferenceDecline, request_id=_ID, reason=st.sampled_from(["busy", "paused"])),
    st.builds(InferenceCancelled, request_id=_ID),
    st.builds(Registered, node_id=_ID, features=st.frozensets(st.just("decline"))),
    st.builds(
        InferenceRequest,
        request_id=_ID,
        ollama_params=st.dictionaries(_WORD, _WORD | st.integers(-9, 9), max_size=4),
    ),
    st.builds(CancelRequest, request_id=_ID),
)


def _outcome(read: Callable[[In], Out], data: In) -> Out | FrameError:
    """Return what `read` returns, or the one error it may raise."""
    try:
        return read(data)
    except FrameError as error:
        return error


@given(_FRAMES)
def test_a_frame_comes_in_as_it_went_out(frame: Frame) -> None:
    assert type(frame).model_validate(read_object(frame.to_json())) == frame


@given(_FRAMES)
def test_a_frame_is_one_line_of_utf8_without_nulls(frame: Frame) -> None:
    text = frame.to_json()
    assert "\n" not in text
    told = json.loads(text)
    assert told["type"] == frame.model_dump()["type"]
    # What a request holds for Ollama is not the frame's own.
    told.pop("ollama_params", None)
    assert not _holds_null(told)


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return any(map(_holds_null, value)) if isinstance(value, list) else value is None


@given(st.one_of(_FRAMES.map(Frame.to_json), _JSON.map(json.dumps)))
def test_what_a_router_says_is_read_ignored_or_refused(text: str) -> None:
    frame = _outcome(read_router_frame, text)
    if frame is not None and not isinstance(frame, FrameError):
        assert frame.type in ("registered", "inference_request", "cancel_request")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), _JSON.map(json.dumps)))
def test_reading_raises_nothing_but_frame_errors(data: str | bytes) -> None:
    """A9: any bytes become an object or a refusal with a close code."""
    value = _outcome(read_object, data)
    if isinstance(value, FrameError):
        assert value.code in (1007, 1008)
        assert len(value.reason) < 100
    else:
        assert isinstance(value, dict)


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 1_000_000,
        '{"a":' * 100_000,
        '{"a":' + "[" * 150 + "]" * 150 + "}",
        '{"a":' + "9" * 1_000_000 + "}",
        '{"a":1e999999999}',
        '{"a":-1e-999999999}',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":"\\ud800"}',
        '{"a":"\\udc00\\ud800"}',
        "{" + ",".join(f'"k{n}":{n}' for n in range(100_000)) + "}",
        "{" + ",".join('"k":1' for _ in range(100_000)) + "}",
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":"' + "\\u0000" * 100_000 + '"}',
    ],
    ids=lambda bomb: repr(bomb[:24]),
)
def test_bombs_are_read_or_refused(bomb: str | bytes) -> None:
    """A9: depth, huge numbers, surrogates, duplicate and very many keys."""
    value = _outcome(read_object, bomb)
    assert isinstance(value, dict) or value.code in (1007, 1008)


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "true", " [1] "])
def test_json_that_is_no_object_is_1008(text: str) -> None:
    with pytest.raises(FrameError, match="not a JSON object") as refused:
        read_object(text)
    assert refused.value.code == 1008


@given(_JSON)
def test_any_object_as_a_registration(value: Any) -> None:
    """A9: only FrameErrors, whose reasons repeat nothing of what was sent."""
    frame = value if isinstance(value, dict) else {"node_id": value, "models": value}
    for kind in ("register", value):
        register = _outcome(read_register, {**frame, "type": kind})
        if isinstance(register, FrameError):
            assert register.code == 1008
            assert register.reason.isascii()
        else:
            assert register.models


@given(_JSON, st.sampled_from(["active_requests", "max_concurrent", "loaded", "available", "x"]))
def test_any_value_in_a_heartbeat(value: Any, key: str) -> None:
    """A2, A9: refused, or within the bounds."""
    beat = _outcome(read_heartbeat, {"type": "heartbeat", "node_id": "n", key: value})
    if isinstance(beat, FrameError):
        assert beat.reason == "invalid heartbeat"
        return
    assert 0 <= beat.active_requests <= limits.MAX_COUNT
    assert beat.max_concurrent is None or 1 <= beat.max_concurrent <= 10


@pytest.mark.parametrize("size", [10**4000, -(10**4000), 1e30, 1e18, float(2**62)])
def test_sizes_of_any_magnitude_are_clamped_or_refused(size: float) -> None:
    frame = {"type": "register", "node_id": "n", "models": [{"name": "m", "size": size}]}
    register = _outcome(read_register, frame)
    if isinstance(register, FrameError):
        assert register.reason == "invalid model size"
    else:
        assert 0 <= register.models[0].size <= limits.MAX_MODEL_BYTES


def test_the_longest_legal_request_fits_the_frame_of_old_nodes_unescaped() -> None:
    messages = [{"role": "user", "content": "😀" * 10_000} for _ in range(10)]
    frame = InferenceRequest(request_id="r", ollama_params={"model": "m", "messages": messages})
    assert len(frame.to_json().encode()) < limits.MAX_FRAME_BYTES
