"""The chat's body and events, whoever reads them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from idleclaw_protocol.chat import ChatBody, ChatEvent, Choice, Delta

_TEXT = st.text(alphabet=st.characters(codec="utf-8"))


@given(_TEXT, st.none() | st.booleans())
def test_an_event_always_has_a_choice_with_a_delta(text: str, reasoning: bool | None) -> None:
    event = ChatEvent(choices=(Choice(delta=Delta(content=text, reasoning=reasoning)),))
    wire = json.loads(event.model_dump_json(exclude_none=True))
    assert wire["choices"][0]["delta"]["content"] == text
    assert ChatEvent.model_validate(wire) == event


def test_an_event_without_choices_cannot_be_made() -> None:
    with pytest.raises(ValidationError):
        ChatEvent(choices=())


@given(st.text(min_size=1, max_size=64), _TEXT.filter(lambda text: 0 < len(text) <= 10_000))
def test_lengths_are_code_points(model: str, content: str) -> None:
    raw = json.dumps({"model": model, "messages": [{"role": "user", "content": content}]})
    try:
        body = ChatBody.model_validate_json(raw)
    except ValidationError:
        assert any("\ud800" <= char <= "\udfff" for char in model)
        return
    assert body.total_chars == len(content)
