"""A chat body is checked as Ollama checks it and put into llama.cpp's terms."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.local.ollama_request import (
    DEFAULT_TOKENS,
    MAX_SCHEMA_CHARACTERS,
    ApiError,
    engine_request,
    is_loopback_host,
    parse_chat,
    require_model,
    without_oldest,
)
from tests.local.facts import FACTS

USER = {"role": "user", "content": "Say hello"}
BODY = {"model": FACTS.name, "messages": [USER]}


def sampling(**options: Any) -> dict[str, Any]:
    return parse_chat(BODY | {"options": options}, FACTS).sampling


def test_a_plain_body_streams_with_bounded_and_calm_sampling() -> None:
    chat = parse_chat(BODY | {"tools": [], "think": False, "keep_alive": 5}, FACTS)
    assert (chat.messages, chat.stream, chat.response_format) == ([USER], True, None)
    request = engine_request(chat, chat.messages)
    assert request["max_tokens"] == DEFAULT_TOKENS
    assert request["temperature"] < 0.7
    assert request["repeat_penalty"] > 1
    assert request["stream_options"] == {"include_usage": True}
    assert request["return_progress"] is True


def test_options_reach_llama_cpp_under_its_names() -> None:
    options = {
        "temperature": 1,
        "top_p": 0.5,
        "top_k": 7,
        "min_p": 0.1,
        "seed": 42,
        "stop": ["."],
        "repeat_penalty": 1.3,
        "repeat_last_n": 32,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }
    assert sampling(**options, num_predict=9) == options | {"max_tokens": 9}


def test_unknown_and_null_options_are_ignored() -> None:
    assert sampling(num_ctx=10**9, main_gpu="x", temperature=None) == sampling()


@pytest.mark.parametrize(("asked", "limit"), [(5, 5), (-1, 4096), (-2, 4096), (10**9, 4096)])
def test_the_answer_never_exceeds_the_context(asked: int, limit: int) -> None:
    assert sampling(num_predict=asked)["max_tokens"] == limit


def test_numbers_out_of_range_move_to_its_edge() -> None:
    wild = sampling(temperature=10**400, top_p=-1, top_k=-5, repeat_penalty=0, seed=-1)
    assert wild["temperature"] == 2.0
    assert (wild["top_p"], wild["top_k"], wild["seed"]) == (0.0, 0, 2**32 - 1)
    assert wild["repeat_penalty"] > 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_predict": "a"}, 'option "num_predict" must be of type integer'),
        ({"seed": True}, 'option "seed" must be of type integer'),
        ({"temperature": "hot"}, 'option "temperature" must be of type float32'),
        ({"stop": "."}, 'option "stop" must be of type array'),
        ({"stop": [1]}, 'option "stop" must be of an array of strings'),
    ],
)
def test_a_wrong_option_type_is_ollamas_error(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        sampling(**options)
    assert (caught.value.status, str(caught.value)) == (500, text)


@pytest.mark.parametrize(
    ("extra", "status", "text"),
    [
        ({"model": ""}, 400, "model is required"),
        ({"model": 5}, 400, "model must be a string"),
        ({"model": "nope"}, 404, "model 'nope' not found"),
        ({"tools": [{"type": "function"}]}, 400, "smollm2:135m does not support tools"),
        ({"think": "high"}, 400, '"smollm2:135m" does not support thinking'),
        ({"stream": "yes"}, 400, "stream must be a boolean"),
        ({"options": [1]}, 400, "options must be an object"),
        ({"messages": "hi"}, 400, "messages must be an array"),
        ({"messages": ["hi"]}, 400, "messages[0] must be an object"),
        ({"messages": [{"role": "root"}]}, 400, "messages[0].role must be one of"),
        ({"messages": [USER, {"role": "user", "content": 5}]}, 400, "messages[1].content must be"),
        ({"messages": [USER | {"images": ["aGk="]}]}, 400, "does not support vision"),
        ({"format": "xml"}, 400, 'format must be "json"'),
        ({"format": {"enum": ["x" * MAX_SCHEMA_CHARACTERS]}}, 400, "schema is over"),
    ],
)
def test_a_bad_body_gets_a_clear_error(extra: dict[str, Any], status: int, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_chat(BODY | extra, FACTS)
    assert caught.value.status == status
    assert text in str(caught.value)


def test_show_words_an_unknown_model_with_its_tag() -> None:
    with pytest.raises(ApiError, match="model 'nope:latest' not found"):
        require_model({"model": "nope"}, FACTS, with_tag=True)


def test_formats_become_response_formats() -> None:
    schema = {"type": "object"}
    chat = parse_chat(BODY | {"format": schema}, FACTS)
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    assert engine_request(chat, chat.messages)["response_format"] == wanted
    assert parse_chat(BODY | {"format": "json"}, FACTS).response_format == {"type": "json_object"}


WORDS = st.sampled_from(["", "json", "smollm2:135m", "x"])
VALUES = st.none() | WORDS | st.integers() | st.lists(st.dictionaries(WORDS, WORDS, max_size=2))


@given(st.dictionaries(st.sampled_from([*BODY, "options", "format", "stream"]), VALUES))
def test_any_body_is_parsed_or_refused(extra: dict[str, Any]) -> None:
    try:
        chat = parse_chat(BODY | extra, FACTS)
    except ApiError:
        return
    json.dumps(engine_request(chat, chat.messages))


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("127.0.0.1:11434", True),
        ("[::1]:80", True),
        ("a.localhost:1", True),
        ("evil.example", False),
        ("localhost.evil.example:80", False),
        ("192.168.1.5", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_only_loopback_names_are_let_in(host: str, allowed: bool) -> None:
    assert is_loopback_host(host) is allowed


def test_the_oldest_messages_go_first_and_the_frame_stays() -> None:
    system = {"role": "system", "content": "Be brief."}
    turns = [{"role": "user", "content": f"{number:04d}" * 10} for number in range(20)]
    kept = without_oldest([system, *turns], prompt_tokens=2000, context_length=1000)
    assert kept is not None
    assert kept[0] == system
    assert kept[1:] == turns[-len(kept) + 1 :]
    assert 5 <= len(kept) <= 9


@given(st.integers(1, 30), st.integers(1, 10_000), st.integers(1, 10_000))
def test_cutting_always_ends(count: int, prompt_tokens: int, context_length: int) -> None:
    messages: list[dict[str, Any]] | None = [{"role": "user", "content": "word"}] * count
    for _ in range(count):
        assert messages is not None
        messages = without_oldest(messages, prompt_tokens, context_length)
        if messages is None:
            return
    pytest.fail("a message too many could go")
