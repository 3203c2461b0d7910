"""What a model is told before the conversation: one system message, made of parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS, MAX_MESSAGES

MAX_SAFETY_CHARS: Final = 8_000
"""Leaves room for the other parts: nodes refuse a message of more than 10,000 characters."""

_IDENTITY: Final = (
    "You are a helpful assistant on IdleClaw, a network on which people share their computers."
)
_BRIEF: Final = "Think briefly: keep your reasoning short and come to the answer."
_MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()


_Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PromptPolicy:
    """Which parts the operator wants, and how many messages of a conversation a node gets.

    `history` is at most 50, which is all that a node takes, the system message included.
    """

    safety: str = ""
    identity: bool = True
    date: bool = True
    brief_thinking: bool = True
    history: int = 20


NO_PROMPT: Final = PromptPolicy(
    identity=False, date=False, brief_thinking=False, history=MAX_MESSAGES
)
"""The conversation as it is."""


def system_text(
    policy: PromptPolicy, today: date | None, *, thinks: bool, extra: Sequence[str] = ()
) -> str:
    """Return the text of the system message, or "" where there is nothing to say.

    `thinks` is whether this node's model will think; `extra` are further parts, in their order.
    What would pass 10,000 characters is left out from the end.
    """
    parts = [policy.safety.strip(), _introduction(policy, today)]
    if policy.brief_thinking and thinks:
        parts.append(_BRIEF)
    return "\n\n".join(filter(None, [*parts, *extra]))[:MAX_MESSAGE_CHARS]


def recent(policy: PromptPolicy, history: Sequence[_Message]) -> tuple[_Message, ...]:
    """Return the newest messages of a conversation, leaving room for a system message."""
    said = policy.safety or policy.identity or policy.date or policy.brief_thinking
    return tuple(history[-min(policy.history, MAX_MESSAGES - bool(said)) :])


def with_system(text: str, messages: Sequence[_Message]) -> tuple[_Message, ...]:
    """Return the messages behind a system message of its own, if there is a text for one."""
    return ({"role": "system", "content": text}, *messages) if text else tuple(messages)


def _introduction(policy: PromptPolicy, today: date | None) -> str:
    sentences = [_IDENTITY] if policy.identity else []
    if policy.date and today is not None:
        month = _MONTHS[today.month - 1]
        sentences.append(f"Today is {month} {today.day}, {today.year} (UTC).")
    return " ".join(sentences)
