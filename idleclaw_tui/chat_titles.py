"""The line of open chats: as much of each title as fits, and what goes on in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size

from idleclaw_tui import words
from idleclaw_tui.chats import Chat, ChatState
from idleclaw_tui.words import Tone, Toned

_MARKS: Final[dict[ChatState, Toned | None]] = {
    "answering": Toned(words.LOADING, "second"),
    "failed": Toned(words.FAILED, "bad"),
    "unread": Toned(words.ACTIVE, "accent"),
    "quiet": None,
}
_BETWEEN: Final = "   "
_LEAST: Final = 5
"""Cells of a title below which only its number is shown."""


@dataclass(frozen=True, slots=True)
class Label:
    """What stands for one chat, from column `start` up to `end`."""

    chat: Chat
    parts: tuple[Toned, ...]
    start: int
    end: int


def labels(chats: Sequence[Chat], current: Chat, width: int) -> list[Label]:
    """Return the labels of the chats in at most `width` columns, as far as that is possible."""
    room = (width + len(_BETWEEN)) // max(1, len(chats)) - len(_BETWEEN)
    longest = room - len("1 ") - len(" ●")
    found: list[Label] = []
    start = 0
    for number, chat in enumerate(chats, 1):
        parts = _parts(number, chat, chat is current, longest)
        end = start + sum(cell_len(part.text) for part in parts)
        found.append(Label(chat, parts, start, end))
        start = end + len(_BETWEEN)
    return found


def line(shown: Sequence[Label]) -> tuple[Toned, ...]:
    """Return the labels as one line."""
    parts: list[Toned] = []
    for label in shown:
        parts += [*((Toned(_BETWEEN),) if parts else ()), *label.parts]
    return tuple(parts)


def _parts(number: int, chat: Chat, is_current: bool, longest: int) -> tuple[Toned, ...]:
    tone: Tone = "strong" if is_current else "dim"
    parts = [Toned(str(number), "accent" if is_current else "dim")]
    if longest >= _LEAST:
        title = chat.title
        if cell_len(title) > longest:
            title = f"{set_cell_size(title, longest - 1).rstrip()}…"
        parts.append(Toned(f" {title}", tone))
    mark = _MARKS[chat.state]
    if mark and (not is_current or chat.state == "answering"):
        parts += [Toned(" "), mark]
    return tuple(parts)
