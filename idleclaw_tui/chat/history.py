"""Which part of a conversation goes to the router with the next question."""

from collections.abc import Sequence
from typing import Final

from idleclaw_protocol import limits
from idleclaw_protocol.chat import ChatBody, ChatMessage

GO_ON: Final = "Your answer was cut off. Continue it exactly where it stops, repeating nothing."

MAX_INSTRUCTIONS_CHARS: Final = 4_000

MESSAGES_WITH_INSTRUCTIONS: Final = 20
"""Routers pass on the newest 20 messages unless set otherwise, and instructions are the oldest."""

_Turn = tuple[ChatMessage, ...]


def body_for(
    model: str,
    earlier: Sequence[tuple[str, str]],
    question: str,
    *,
    cut: str = "",
    instructions: str = "",
    think: bool = False,
) -> ChatBody:
    """Return what to post for `question`, as much of the conversation as the router takes.

    `earlier` are questions and their answers, oldest first; the newest that fit go along. Ones
    without an answer are left out: a question that was refused would be refused again. Of an
    answer longer than a message may be, its end goes along. Where `cut` is an answer's text so
    far, the model is asked for its rest. `instructions` come first, as a message of the user's,
    since a router knows no other role; the conversation is then kept short enough for them not
    to fall off at the router.
    """
    newest = _newest(question, cut)
    first = (_user(instructions),) if instructions else ()
    most = MESSAGES_WITH_INSTRUCTIONS if instructions else limits.MAX_MESSAGES
    room = limits.MAX_TOTAL_CHARS - _length(newest) - _length(first)
    turns: list[_Turn] = []
    count = len(first) + len(newest)
    for asked, answer in reversed(earlier):
        if not (kept := _kept(answer)):
            continue
        turn = (_user(asked), _assistant(kept))
        room -= _length(turn)
        count += len(turn)
        if room < 0 or count > most:
            break
        turns.insert(0, turn)
    history = [message for turn in turns for message in turn]
    return ChatBody(model=model, messages=(*first, *history, *newest), think=think)


def _newest(question: str, cut: str) -> _Turn:
    if kept := _kept(cut):
        return _user(question), _assistant(kept), _user(GO_ON)
    return (_user(question),)


def _kept(answer: str) -> str:
    return answer[-limits.MAX_MESSAGE_CHARS :].strip()


def _length(messages: _Turn) -> int:
    return sum(len(message.content) for message in messages)


def _user(content: str) -> ChatMessage:
    return ChatMessage(role="user", content=content)


def _assistant(content: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=content)
