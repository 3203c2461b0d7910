"""The choice among the models that are online now."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from textual.content import Content

from idleclaw_tui import words
from idleclaw_tui.network_view import ModelRow
from idleclaw_tui.widgets.pick_list import PickList
from idleclaw_tui.widgets.safe_text import toned
from idleclaw_tui.words import Tone, Toned

_MAX_NAME: Final = 40
_SHOWN_CAPABILITIES: Final = ("thinking", "tools", "vision")


def matching(models: Sequence[ModelRow], typed: str) -> list[ModelRow]:
    """Return the models whose name, size or capabilities hold every typed word, by name.

    Models that are known to answer no chat are left out.
    """
    wanted = typed.lower().split()
    return [
        row
        for row in sorted(models, key=attrgetter("name"))
        if _can_chat(row) and all(word in _searched(row) for word in wanted)
    ]


def _can_chat(row: ModelRow) -> bool:
    return "embedding" not in row.capabilities or "completion" in row.capabilities


def _searched(row: ModelRow) -> str:
    return " ".join((row.name, row.description, *row.capabilities)).lower()


_COLUMNS: Final[tuple[Callable[[ModelRow], str], ...]] = (
    lambda row: row.availability,
    lambda row: row.description,
    lambda row: words.rate(row.tokens_per_second) if row.tokens_per_second else "",
    lambda row: " ".join(each for each in _SHOWN_CAPABILITIES if each in row.capabilities),
    lambda row: words.size(row.size) if row.size else "",
)
"""By how much they matter: what no longer fits is left out from the end."""

_ORDER: Final = (1, 4, 3, 2, 0)
_RIGHT: Final = (2, 4)


def option_lines(rows: Sequence[ModelRow], current: str | None, width: int = 120) -> list[Content]:
    """Return a line per model, in as many columns as fit: name, kind, size, speed, who has it."""
    names = _aligned([row.name if len(row.name) <= _MAX_NAME else _cut(row.name) for row in rows])
    room = width - 2 - max(map(len, names), default=0)
    shown: dict[int, list[str]] = {}
    for index, column in enumerate(_COLUMNS):
        cells = _aligned([column(row) for row in rows], right=index in _RIGHT)
        needed = max(map(len, cells), default=0) + 2
        if needed > room:
            break
        room -= needed
        shown[index] = cells
    if not shown:
        shown[0] = [_free(row) for row in rows]
    return [
        toned(
            (
                Toned(f"{words.ACTIVE if row.name == current else ' '} ", "accent"),
                Toned(names[at]),
                *(
                    Toned(f"  {shown[index][at]}", _tone(row, index))
                    for index in _ORDER
                    if shown.get(index) and shown[index][at]
                ),
            )
        )
        for at, row in enumerate(rows)
    ]


def _aligned(cells: list[str], *, right: bool = False) -> list[str]:
    width = max(map(len, cells), default=0)
    return [cell.rjust(width) if right else cell.ljust(width) for cell in cells]


def _free(row: ModelRow) -> str:
    return "" if row.slots_free is None else f"{row.slots_free}/{row.slots_total} free"


def _tone(row: ModelRow, index: int) -> Tone:
    return "warn" if index == 0 and row.slots_free == 0 else "dim"


def _cut(name: str) -> str:
    return f"{name[: _MAX_NAME - 1]}…"


class ModelPicker(PickList[str]):
    """Lists the models online; ends with the name of the one taken, or None."""

    DEFAULT_CSS = "ModelPicker #picker-box { width: 112; }"
    HELP = "The models online now. Type parts of a name, a size or an ability such as *thinking*."

    def __init__(self, models: Sequence[ModelRow], current: str | None) -> None:
        super().__init__("Models online", "Type to filter")
        self._models = models
        self._current = current

    def narrowed(self, typed: str, width: int) -> Sequence[tuple[str, Content]]:
        """Return the models that match, by name."""
        rows = matching(self._models, typed)
        lines = option_lines(rows, self._current, width)
        return [(row.name, line) for row, line in zip(rows, lines, strict=True)]

    def empty(self, typed: str) -> str:
        """Return why no model is listed."""
        return "No model is online now." if not self._models else "No model matches."

    def preferred(self, values: Sequence[str]) -> int:
        """Begin with the model that is chosen."""
        return values.index(self._current) if self._current in values else 0

    def offer(self, models: Sequence[ModelRow]) -> None:
        """Take in what is online now."""
        if models != self._models:
            self._models = models
            self.fill()
