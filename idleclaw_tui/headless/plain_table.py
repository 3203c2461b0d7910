"""Columns of plain text, aligned by terminal cells: wide characters take two of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.cells import cell_len, set_cell_size

UNKNOWN: Final = "-"

_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head and its cells, one clean line each; None is what nobody knows.

    A column where nobody knows anything is left out.
    """

    head: str
    cells: Sequence[str | None]
    align: Literal["left", "right"] = "right"


def table(columns: Sequence[Column], width: int) -> list[str]:
    """Return head and rows in at most `width` cells where the first column can give way.

    Cells of the first column that do not fit beside the others take a line of their own, cut with
    an ellipsis only where they pass `width`.
    """
    shown = [column for column in columns if any(cell is not None for cell in column.cells)]
    if not shown:
        return []
    first, *others = shown
    widths = [max(cell_len(cell or UNKNOWN) for cell in (c.head, *c.cells)) for c in others]
    room = max(width - sum(widths) - len(_GAP) * len(widths), cell_len(first.head), 8)
    fitting = [cell_len(cell or UNKNOWN) for cell in first.cells]
    indent = max([cell_len(first.head), *(length for length in fitting if length <= room)])
    lines = [_row(first.head, indent, [c.head for c in others], widths, others, width)]
    for index, cell in enumerate(first.cells):
        cells = [c.cells[index] or UNKNOWN for c in others]
        lines += _row(cell or UNKNOWN, indent, cells, widths, others, width).split("\n")
    return lines


def _row(
    first: str,
    indent: int,
    cells: Sequence[str],
    widths: Sequence[int],
    columns: Sequence[Column],
    width: int,
) -> str:
    rest = "".join(
        _GAP + _padded(cell, size, column.align)
        for cell, size, column in zip(cells, widths, columns, strict=True)
    ).rstrip()
    if cell_len(first) <= indent:
        return (_padded(first, indent, "left") + rest).rstrip()
    return f"{fitted(first, width)}\n{' ' * indent}{rest}"


def fitted(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with an ellipsis where it was cut."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _padded(text: str, width: int, align: Literal["left", "right"]) -> str:
    blanks = " " * (width - cell_len(text))
    return text + blanks if align == "left" else blanks + text
