"""JSON that would take long is told apart before it is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.json_cost import MAX_VALUES, has_too_many_values

MANY = 3 * MAX_VALUES


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * MANY,
        b'{"a":[' + b"{}," * MANY + b"0]}",
        b"[" + b"1," * MANY + b"1]",
        b"{" + b",".join(b'"%d":0' % number for number in range(MANY)) + b"}",
        b"[" + b'"\\\\",' * MANY + b"1]",
        b'"' * MANY * 2,
    ],
)
def test_very_many_values_are_seen(raw: bytes) -> None:
    """A9: none of these is parsed."""
    assert has_too_many_values(raw)


@given(st.text(st.sampled_from('[]{},:"\\\nx'), max_size=40))
def test_what_stands_in_a_string_is_one_value(text: str) -> None:
    """A9: a question about JSON is a question like any other."""
    assert not has_too_many_values(json.dumps({"content": text * MAX_VALUES}).encode())


@given(st.text(st.sampled_from('"\\\\x,['), min_size=1, max_size=9), st.integers(0, 99))
def test_where_a_part_ends_changes_nothing(text: str, before: int) -> None:
    """A9: neither an escape nor a string that is cut by the end of a part brings up values."""
    question = "a" * (65_500 + before) + text * 20_000
    assert not has_too_many_values(json.dumps([question]).encode())
    assert has_too_many_values(json.dumps([question, *range(MANY)]).encode())
