"""Finding words in all open chats, in what they hold and not in what the screen shows."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from idleclaw_tui.chat.chats import Chat
from idleclaw_tui.chat.transcript import Exchange

MAX_HITS: Final = 50
MAX_SEARCHED_CHARS: Final = 4_000_000
"""What is looked through for one search, newest first; that takes a few hundredths of a second."""

_BEFORE: Final = 24
_SNIPPET_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class Hit:
    """An exchange that holds every wanted word; `snippet[start:end]` is the first of them."""

    chat: Chat
    exchange: Exchange
    by_model: bool
    snippet: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, newest first in each chat. `complete` is false where more was not looked for."""

    hits: tuple[Hit, ...]
    complete: bool


def search(chats: Iterable[Chat], typed: str) -> Found:
    """Return the exchanges in which all the typed words occur, whatever their case."""
    patterns = [re.compile(re.escape(word), re.IGNORECASE) for word in typed.split()]
    hits: list[Hit] = []
    room = MAX_SEARCHED_CHARS
    for chat, exchange in _newest_first(chats) if patterns else ():
        answer = exchange.answer.text
        room -= len(exchange.question) + len(answer)
        if room < 0 or len(hits) == MAX_HITS:
            return Found(tuple(hits), complete=False)
        texts = (exchange.question, answer)
        if all(any(pattern.search(text) for text in texts) for pattern in patterns):
            hits.append(_hit(chat, exchange, texts, patterns[0]))
    return Found(tuple(hits), complete=True)


def _newest_first(chats: Iterable[Chat]) -> Iterator[tuple[Chat, Exchange]]:
    for chat in chats:
        for exchange in reversed(chat.transcript.exchanges):
            yield chat, exchange


def _hit(chat: Chat, exchange: Exchange, texts: tuple[str, str], wanted: re.Pattern[str]) -> Hit:
    asked = wanted.search(texts[0])
    match = asked or wanted.search(texts[1])
    assert match is not None
    begin = max(0, match.start() - _BEFORE)
    snippet = match.string[begin : begin + _SNIPPET_CHARS]
    mark = "…" if begin else ""
    flat = mark + "".join(" " if char.isspace() else char for char in snippet)
    start = len(mark) + match.start() - begin
    end = min(start + match.end() - match.start(), len(flat))
    return Hit(chat, exchange, asked is None, flat, start, end)
