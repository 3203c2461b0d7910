"""A23: what a hostile router asks for never reaches the local Ollama."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.relay_guard import RelayRefused, guard_request
from tests.node.guarding import SECRET, body, params, refusal
from tests.node.offers import OFFERED

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
WEBP = base64.b64encode(b"RIFF\x00\x00\x00\x00WEBPVP8 ").decode()


def message(**changes: Any) -> dict[str, Any]:
    sent = [{"role": "user", "content": SECRET} | changes]
    result: dict[str, Any] = body(messages=sent)["messages"][0]
    return result


def test_a_plain_request_becomes_a_bounded_stream() -> None:
    assert body() == {
        "model": "able:8b",
        "messages": [{"role": "user", "content": SECRET}],
        "stream": True,
        "options": {"num_predict": 4096},
    }


def test_what_the_original_router_sends_goes_through() -> None:
    system = {"role": "system", "content": "Be kind."}
    sent = params(model="tiny:1b", stream=True, keep_alive=-1, think=False)
    sent["messages"].insert(0, system)
    result = json.loads(guard_request(sent, OFFERED).body)
    assert result["messages"][0] == system
    assert result["think"] is False
    assert "keep_alive" not in result


@pytest.mark.parametrize(
    "unwanted",
    [
        {"keep_alive": 0},
        {"keep_alive": "99h"},
        {"_debug_render_only": True},
        {"truncate": False},
        {"shift": True},
        {"logprobs": True, "top_logprobs": 20},
        {"template": "{{ .Prompt }}"},
        {"raw": True},
        {"stream": False},
    ],
)
def test_unknown_and_unwanted_keys_are_dropped(unwanted: dict[str, Any]) -> None:
    assert body(**unwanted) == body()


@pytest.mark.parametrize(
    "model",
    ["other:1b", "huge:cloud", "", None, 5, ["able:8b"], {}, "able:8b ", "ABLE:8b", "../x"],
)
def test_only_a_registered_local_model_is_served(model: object) -> None:
    assert "does not offer" in refusal(model=model)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "no messages"),
        (None, "no messages"),
        ("hello", "no messages"),
        ({"role": "user"}, "no messages"),
        ([{"role": "user", "content": "x"}] * 51, "more than 50"),
        ([{"role": "user", "content": "x" * 10_001}], "10,000 characters"),
        ([{"role": "assistant", "content": "", "thinking": "x" * 10_001}], "10,000 characters"),
        ([{"role": "developer", "content": "x"}], "understood"),
        ([{"role": ["user"], "content": "x"}], "understood"),
        ([{"content": "x"}], "understood"),
        (["hello"], "understood"),
        ([None], "understood"),
        ([{"role": "user", "content": 5}], "understood"),
        ([{"role": "user", "content": [{"type": "text"}]}], "understood"),
        ([{"role": "tool", "content": "x", "tool_name": "y" * 129}], "understood"),
        ([{"role": "assistant", "tool_calls": "x"}], "understood"),
        ([{"role": "assistant", "tool_calls": [{}]}], "understood"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": 1}}]}], "understood"),
        ([{"role": "user", "content": "x", "images": "x"}], "understood"),
    ],
)
def test_messages_out_of_bounds_are_refused(messages: object, words: str) -> None:
    assert words in refusal(messages=messages)


def test_the_largest_allowed_messages_pass() -> None:
    assert len(body(messages=[{"role": "user", "content": "x" * 10_000}] * 50)["messages"]) == 50


def test_a_message_keeps_its_known_parts_alone() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    sent = [
        {"role": "assistant", "content": None, "thinking": "hm", "tool_calls": [call], "x": 1},
        {"role": "tool", "content": "7", "tool_name": "f", "tool_call_id": "call_1"},
    ]
    assert body(messages=sent)["messages"] == [
        {
            "role": "assistant",
            "content": "",
            "thinking": "hm",
            "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}, "id": "call_1"}],
        },
        {"role": "tool", "content": "7", "tool_name": "f", "tool_call_id": "call_1"},
    ]


@pytest.mark.parametrize("image", [PNG, WEBP])
def test_an_image_in_base64_passes(image: str) -> None:
    assert message(images=[image])["images"] == [image]


@pytest.mark.parametrize(
    "image",
    [
        "/etc/passwd",
        "C:\\secret.png",
        "file:///etc/passwd",
        "~/.ssh/id_rsa",
        base64.b64encode(b"/etc/passwd").decode(),
        base64.b64encode(b"<svg/>").decode(),
        "",
        PNG[:-1],
        PNG + "\n",
        "data:image/png;base64," + PNG,
        5,
        None,
        {"value": PNG},
    ],
)
def test_no_path_and_nothing_else_passes_as_an_image(image: object) -> None:
    assert "understood" in refusal(messages=[{"role": "user", "content": "", "images": [image]}])


def test_images_are_counted_over_all_messages_and_need_a_model_that_sees() -> None:
    sent = [{"role": "user", "content": "x", "images": [PNG] * 3}] * 3
    assert "8 images" in refusal(messages=sent)
    assert "does not read images" in refusal(model="tiny:1b", messages=sent[:1])
    assert body(model="old:7b", messages=sent[:1])["messages"][0]["images"] == [PNG] * 3


def test_a_guarded_request_does_not_show_its_words() -> None:
    assert SECRET not in repr(guard_request(params(), OFFERED))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = ("model", "messages", "stream", "think", "keep_alive", "options", "tools", "format")
MESSAGE = st.dictionaries(
    st.sampled_from(["role", "content", "thinking", "images", "tool_calls", "tool_name"]), JSON
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON | st.lists(MESSAGE, max_size=3)))
def test_any_parameters_are_refused_or_rebuilt(hostile: dict[str, Any]) -> None:
    try:
        guarded = guard_request(params() | hostile, OFFERED)
    except RelayRefused:
        return
    result = json.loads(guarded.body)
    assert set(result) <= {"model", "messages", "stream", "think", "options", "tools", "format"}
    assert result["stream"] is True
    assert 1 <= result["options"]["num_predict"] <= 4096
    assert result["messages"]
