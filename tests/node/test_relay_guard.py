"""A23: what a hostile router asks for never reaches the local Ollama."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.relay_guard import GuardLimits, RelayRefused, guard_request
from tests.node.offers import OFFERED

SECRET = "the words of a stranger"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
WEBP = base64.b64encode(b"RIFF\x00\x00\x00\x00WEBPVP8 ").decode()


def params(**changes: Any) -> dict[str, Any]:
    return {"model": "able:8b", "messages": [{"role": "user", "content": SECRET}]} | changes


def body(**changes: Any) -> dict[str, Any]:
    guarded = guard_request(params(**changes), OFFERED)
    result: dict[str, Any] = json.loads(guarded.body)
    assert result["model"] == guarded.model
    return result


def message(**changes: Any) -> dict[str, Any]:
    sent = [{"role": "user", "content": SECRET} | changes]
    result: dict[str, Any] = body(messages=sent)["messages"][0]
    return result


def refusal(**changes: Any) -> str:
    with pytest.raises(RelayRefused) as caught:
        guard_request(params(**changes), OFFERED)
    assert caught.value.code == "invalid_request"
    assert SECRET not in caught.value.message
    return caught.value.message


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


def test_options_that_reload_or_move_a_model_are_dropped() -> None:
    moving = {name: 1 for name in ("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread")}
    kept: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "seed": 7}
    kept |= {"repeat_penalty": 1.1, "repeat_last_n": 64, "presence_penalty": 0.5}
    kept |= {"frequency_penalty": 0.5, "stop": ["\n\n"], "num_predict": 12}
    sent = moving | kept | {"use_mmap": False, "draft_num_predict": 9, "low_vram": True}
    assert body(options=sent)["options"] == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"num_predict": -1}, {"num_predict": 4096}),
        ({"num_predict": -2}, {"num_predict": 4096}),
        ({"num_predict": 0}, {"num_predict": 4096}),
        ({"num_predict": 10**30}, {"num_predict": 4096}),
        ({"num_predict": 5.0}, {"num_predict": 5}),
        ({"num_predict": None, "seed": None}, {"num_predict": 4096}),
        ({"seed": 10**400}, {"num_predict": 4096, "seed": 2**31 - 1}),
        ({"temperature": 10**400}, {"num_predict": 4096, "temperature": 5.0}),
        ({"temperature": -1}, {"num_predict": 4096, "temperature": 0.0}),
        ({"repeat_last_n": 10**9}, {"num_predict": 4096, "repeat_last_n": 4096}),
        ({"stop": "END"}, {"num_predict": 4096, "stop": ["END"]}),
        ({"stop": ["", "END"]}, {"num_predict": 4096, "stop": ["END"]}),
    ],
)
def test_numbers_are_moved_into_their_range(sent: object, kept: object) -> None:
    assert body(options=sent)["options"] == kept


@pytest.mark.parametrize(
    "sent",
    [
        {"temperature": "hot"},
        {"temperature": True},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"seed": 1.5},
        {"num_predict": "all"},
        {"num_predict": float("inf")},
        {"stop": 5},
        {"stop": ["x"] * 9},
        {"stop": ["x" * 65]},
        [],
        "options",
        7,
    ],
)
def test_options_of_another_kind_are_refused(sent: object) -> None:
    assert "understood" in refusal(options=sent)


def test_the_owner_bounds_the_answer() -> None:
    guarded = guard_request(
        params(options={"num_predict": 900}), OFFERED, GuardLimits(answer_tokens=100)
    )
    assert json.loads(guarded.body)["options"] == {"num_predict": 100}


@pytest.mark.parametrize("think", [True, False, "low", "medium", "high", "max"])
def test_thinking_is_a_switch_or_a_level(think: object) -> None:
    assert body(think=think)["think"] == think


@pytest.mark.parametrize("think", ["lots", 1, 0, [], {}])
def test_other_thinking_is_refused(think: object) -> None:
    assert "think" in refusal(think=think)


TOOL = {
    "type": "function",
    "function": {
        "name": "web_search",
        "description": "Searches.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    },
}


def test_what_a_model_is_known_to_lack_is_not_asked_of_it() -> None:
    assert "think" not in body(model="tiny:1b", think=True)
    assert "tools" not in body(model="tiny:1b", tools=[TOOL])
    assert body(model="old:7b", think=True, tools=[TOOL])["think"] is True


def test_tools_are_rebuilt_from_what_is_known() -> None:
    assert body(tools=[TOOL | {"items": "x"}])["tools"] == [TOOL]


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "tools",
    [
        [TOOL] * 17,
        {"a": TOOL},
        "tools",
        ["tool"],
        [{"type": "function"}],
        [{"function": {"name": 5}}],
        [{"function": {"name": "f" * 129}}],
        [{"function": {"name": "f", "description": "x" * 5000}}],
        [{"function": {"name": "f", "parameters": []}}],
        [{"function": {"name": "f", "parameters": nested(17)}}],
        [{"function": {"name": "f", "parameters": {"enum": list(range(2000))}}}],
    ],
)
def test_tools_out_of_bounds_are_refused(tools: object) -> None:
    assert "understood" in refusal(tools=tools)


SCHEMA = {"type": "object", "properties": {"pattern": {"type": "string", "maxLength": 1024}}}


@pytest.mark.parametrize("wanted", ["json", SCHEMA])
def test_a_format_is_json_or_a_schema(wanted: object) -> None:
    assert body(format=wanted)["format"] == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "yaml",
        7,
        ["json"],
        {"maxItems": 10**9},
        {"minLength": 1025},
        {"minItems": -1},
        {"maxLength": "many"},
        {"pattern": "(a{1,9999}){1,9999}"},
        {"items": [{"pattern": "a"}]},
        nested(17),
    ],
)
def test_a_schema_that_would_make_a_huge_grammar_is_refused(wanted: object) -> None:
    assert "understood" in refusal(format=wanted)


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
