"""The targets of the fuzzer, for a moment, over what hypothesis thinks of."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzzing.targets import TARGETS, one_input
from tests.output.filtering import markdown


@given(st.sampled_from(TARGETS), st.text() | markdown)
@example(TARGETS[2], '{"type":"inference_chunk","chunk":{"message":{"tool_calls":[{}]}}}')
@example(TARGETS[4], '{"choices":[{"delta":{"content":"x"}}]}\n[DONE]')
def test_every_target_holds(target: object, text: str) -> None:
    """A9: nothing but the refusals that belong to it comes out of any reader."""
    assert callable(target)
    target(text)


@pytest.mark.parametrize("number", range(len(TARGETS)))
def test_the_first_byte_chooses_the_target(number: int) -> None:
    one_input(bytes([number]) + b"<b>\xc2\x85")
