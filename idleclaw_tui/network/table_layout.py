"""Which columns of a table fit, and cells cut or filled to their width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rich.cells import cell_len, set_cell_size

from idleclaw_protocol.text_safety import clean_line
from idleclaw_tui.words import Toned

PADDING: Final = 1
"""Blank cells on each side of a column."""
_MAX_FLEXIBLE: Final = 64
_MAX_CHARS: Final = 300

Cells = Mapping[str, Toned]
"""What a row says, by column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `width` cells; the flexible one takes what the others leave, at least `width`.

    Where the room is short, columns with a higher `rank` go first.
    """

    key: str
    head: str
    width: int
    rank: int = 0
    right: bool = False
    flexible: bool = False


class Row(Protocol):
    """A row of a table; `cells` has every column, shown or not, and may be made when asked for."""

    @property
    def key(self) -> str:
        """What tells this row from the others."""
        ...

    @property
    def cells(self) -> Cells:
        """What it says now."""
        ...


@dataclass(frozen=True, slots=True)
class TableRow:
    """A `Row` of cells that are known."""

    key: str
    cells: Cells


def fit_columns(columns: Sequence[Column], room: int) -> list[tuple[Column, int]]:
    """Return the columns that fit into `room` cells, in their order, with their widths."""
    kept: list[Column] = []
    left = room
    for column in sorted(columns, key=lambda column: column.rank):
        needed = column.width + 2 * PADDING
        if kept and needed > left:
            break
        kept.append(column)
        left -= needed
    spare = max(0, left)
    return [
        (column, min(column.width + spare, _MAX_FLEXIBLE) if column.flexible else column.width)
        for column in columns
        if column in kept
    ]


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return `text`, cleaned and on one line, in exactly `width` cells of a terminal.

    What does not fit ends in an ellipsis, and never in half of a wide character.
    """
    line = clean_line(text, _MAX_CHARS)
    length = cell_len(line)
    if length > width:
        return set_cell_size(line, width - 1) + "…" if width > 0 else ""
    blank = " " * (width - length)
    return blank + line if right else line + blank
