"""What a model is told before the conversation."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_server.prompt import (
    MAX_SAFETY_CHARS,
    NO_PROMPT,
    PromptPolicy,
    recent,
    system_text,
    with_system,
)
from tests.defences.running import at, defended, node_at
from tests.router.consumer import Answer
from tests.router.scripted_node import MODEL, Asked

DAY = date(2026, 11, 2)


def test_the_parts_in_their_order() -> None:
    text = system_text(PromptPolicy(safety=" Be kind. "), DAY, thinks=True, extra=("Tools: none.",))
    assert text == (
        "Be kind.\n\n"
        "You are a helpful assistant on IdleClaw, a network on which people share their computers."
        " Today is November 2, 2026 (UTC).\n\n"
        "Think briefly: keep your reasoning short and come to the answer.\n\n"
        "Tools: none."
    )


@pytest.mark.parametrize(
    ("policy", "there", "missing"),
    [
        (PromptPolicy(identity=False), ["November"], ["IdleClaw", "Think"]),
        (PromptPolicy(date=False), ["IdleClaw"], ["November", "Think"]),
        (PromptPolicy(identity=False, date=False), [], ["November", "IdleClaw", "Think"]),
    ],
)
def test_each_part_can_be_switched_off(
    policy: PromptPolicy, there: list[str], missing: list[str]
) -> None:
    text = system_text(policy, DAY, thinks=False)
    assert all(word in text for word in there)
    assert not any(word in text for word in missing)


def test_the_request_to_think_briefly_can_be_switched_off() -> None:
    assert "Think" in system_text(PromptPolicy(), DAY, thinks=True)
    assert "Think" not in system_text(PromptPolicy(brief_thinking=False), DAY, thinks=True)


def test_nothing_to_say_is_no_message() -> None:
    assert system_text(NO_PROMPT, DAY, thinks=True) == ""
    assert with_system("", [{"role": "user"}]) == ({"role": "user"},)


@given(st.text(max_size=MAX_SAFETY_CHARS), st.dates(), st.lists(st.text(max_size=3000), max_size=9))
def test_a_node_never_gets_a_longer_message_than_it_takes(
    safety: str, today: date, extra: list[str]
) -> None:
    """A24: nodes refuse messages of more than 10,000 characters, the router's own included."""
    text = system_text(PromptPolicy(safety=safety), today, thinks=True, extra=[*extra, "x" * 9_990])
    assert len(text) <= MAX_MESSAGE_CHARS
    assert safety.strip() in text


@given(st.builds(PromptPolicy, history=st.integers(1, 50)), st.integers(1, 50), st.booleans())
def test_a_node_never_gets_more_messages_than_it_takes(
    policy: PromptPolicy, said: int, thinks: bool
) -> None:
    """A24: with the system message there are at most fifty, and the newest is the last."""
    history = [{"role": "user", "content": str(number)} for number in range(said)]
    text = system_text(policy, DAY, thinks=thinks)
    sent = with_system(text, recent(policy, history))
    assert len(sent) <= 50
    assert sent[-1] == history[-1]
    assert len(sent) - bool(text) <= policy.history


async def _sent(said: int = 1, *, think: bool = False, **settings: object) -> Asked:
    """Return what a node that can think is sent for a conversation of `said` messages."""
    messages = [{"role": "user", "content": f"m{number}"} for number in range(said)]
    model = {"name": MODEL, "size": 1, "capabilities": ["completion", "thinking"]}
    async with defended(None, **settings) as router, node_at(router.url) as node:
        await node.send(type="register", node_id="node", models=[model])
        assert (await node.frame())["type"] == "registered"
        body = {"model": MODEL, "messages": messages, "think": think}
        async with at(router.url) as http:
            async with http.stream("POST", "/api/chat", json=body) as response:
                asked = await node.asked()
                await node.answer(asked.request_id, "ok")
                assert await Answer(response).text() == "ok"
    return asked


async def test_identity_and_date_come_in_one_system_message_of_their_own() -> None:
    before = datetime.now(UTC).date()
    asked = await _sent()
    days = {before, datetime.now(UTC).date()}
    system, said = asked.params["messages"]
    assert system["role"] == "system"
    assert system["content"] in {system_text(PromptPolicy(), day, thinks=False) for day in days}
    assert said == {"role": "user", "content": "m0"}


async def test_only_a_model_that_will_think_is_asked_to_be_brief() -> None:
    asked = await _sent(think=True)
    assert asked.params["think"] is True
    assert "Think briefly" in asked.params["messages"][0]["content"]


async def test_a_node_gets_the_newest_twenty_messages() -> None:
    messages = (await _sent(50)).params["messages"]
    assert [message["content"] for message in messages[1:]] == [f"m{n}" for n in range(30, 50)]


async def test_the_operator_says_what_is_added() -> None:
    asked = await _sent(
        50,
        prompt_safety="Never swear.",
        prompt_identity=False,
        prompt_date=False,
        prompt_history=50,
    )
    messages = asked.params["messages"]
    assert messages[0] == {"role": "system", "content": "Never swear."}
    assert [message["content"] for message in messages[1:]] == [f"m{n}" for n in range(1, 50)]


async def test_without_any_part_the_conversation_is_as_it_was() -> None:
    asked = await _sent(
        50,
        prompt_identity=False,
        prompt_date=False,
        prompt_brief_thinking=False,
        prompt_history=50,
    )
    assert [message["role"] for message in asked.params["messages"]] == ["user"] * 50
