"""A23: options, tools and formats are rebuilt from what is known."""

import json
from typing import Any

import pytest

from idleclaw_tui.relay_guard import GuardLimits, guard_request
from tests.node.guarding import body, params, refusal
from tests.node.offers import OFFERED


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
