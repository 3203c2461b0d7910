"""Calls as models write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.frames import ToolCall, ToolFunction
from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_server.tool_calls import cleaned_call, tagged_calls

_CALL = ("search", {"query": "x"})


def _seen(text: str) -> list[tuple[str, dict[str, Any]]]:
    return [(call.function.name, call.function.arguments) for call in tagged_calls([text])]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "search", "arguments": {"query": "x"}}',
        '\n {"name": "search", "arguments": {"query": "x"}} \n',
        '{"name": "search", "parameters": {"query": "x"}}',
        '{"name": "search", "arguments": "{\\"query\\": \\"x\\"}"}',
        '{"function": {"name": "search", "arguments": {"query": "x"}}}',
        '[{"name": "search", "arguments": {"query": "x"}}]',
        '```json\n{"name": "search", "arguments": {"query": "x"}}\n```',
        '{"name": "search", "arguments": {"query": "x"}} and then some words',
    ],
)
def test_the_ways_to_write_a_call(text: str) -> None:
    assert _seen(text) == [_CALL]


def test_several_calls_between_one_pair_of_tags() -> None:
    one = '{"name": "search", "arguments": {"query": "x"}}'
    assert _seen(f"{one}\n{one},{one}") == [_CALL] * 3
    assert _seen(f"[{one}, {one}]") == [_CALL] * 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        '{"name": "search", "argum',
        '{"arguments": {}}',
        '{"name": 5}',
        '{"name": null, "arguments": {}}',
        "5",
        "null",
        "[" * 100_000,
        "[[[]]]",
        "9" * 10_000,
    ],
)
def test_what_is_no_call_is_left_out(text: str) -> None:
    """A9: no text of a model can do more than not be understood."""
    assert _seen(text) == []


@pytest.mark.parametrize(
    "arguments",
    [{"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {}}}}}}}}}, {"a": "x" * 9_000}, [1], 5, None],
)
def test_arguments_that_are_too_much_are_none(arguments: Any) -> None:
    """A22: what goes back to a node, or to a tool, is bounded."""
    text = ToolCall.model_construct(
        function=ToolFunction.model_construct(name="x", arguments=arguments), id=None
    )
    assert cleaned_call(text).function.arguments == {}


def test_a_calls_strings_are_cleaned() -> None:
    """A7: names, ids and arguments too."""
    function = ToolFunction(
        name="\x1b[31m" + "n" * 200,
        arguments={"\x07key": ["\x1b]0;x\x07a\u202eb", {"deep": "\ud800"}], "n": 1.5, "b": True},
    )
    call = cleaned_call(ToolCall(function=function, id="\x00i" + "d" * 200))
    assert len(call.function.name) == 64
    assert call.id is not None
    assert len(call.id) == 64
    assert call.function.arguments == {
        "key": ["ab", {"deep": "\ufffd"}],
        "n": 1.5,
        "b": True,
    }
    assert is_unsafe(call.function.name + call.id) is None


@given(st.text(alphabet='{}[]",:\\ntu0 "name""arguments"', max_size=60))
def test_no_text_raises(text: str) -> None:
    """A9: fuzzing."""
    assert len(tagged_calls([text, text])) <= 16
