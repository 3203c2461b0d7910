"""How a table's head and rows look: which columns there are, how wide, and in which colours."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from idleclaw_tui.table_layout import PADDING, Cells, Column, fit_columns, fitted
from idleclaw_tui.words import Tone

_USUAL_WIDTH: Final = 80
_DESCENDING, _ASCENDING = "↓", "↑"


class TableDrawing:
    """Draws lines of the columns that fit.

    Attributes:
        sorted_by: the column that the rows are sorted by, and whether downwards; None: by none.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.sorted_by: tuple[str, bool] | None = None
        self._columns = tuple(columns)
        self._fitting = fit_columns(self._columns, _USUAL_WIDTH)

    @property
    def columns(self) -> list[Column]:
        """The columns that there is room for."""
        return [column for column, _ in self._fitting]

    def use_width(self, width: int) -> None:
        """Choose the columns anew for so many cells."""
        self._fitting = fit_columns(self._columns, width)

    def column_at(self, x: int) -> str | None:
        """Return the column that cell `x` of a line belongs to."""
        for column, width in self._fitting:
            x -= width + 2 * PADDING
            if x < 0:
                return column.key
        return None

    def head(self, plain: Style, marked: Style) -> Strip:
        """Return the heads, `marked` the one of the column that the rows are sorted by."""
        segments = []
        for column, width in self._fitting:
            text, style = column.head, plain
            if self.sorted_by is not None and column.key == self.sorted_by[0]:
                text += _DESCENDING if self.sorted_by[1] else _ASCENDING
                style = marked
            segments.append(Segment(f" {fitted(text, width, right=column.right)} ", style))
        return Strip(segments)

    def row(self, cells: Cells, style: Style, tone_style: Callable[[Tone], Style]) -> Strip:
        """Return a row's cells, each in `style` and that of its tone."""
        segments = []
        for column, width in self._fitting:
            text, tone = cells[column.key]
            shown = fitted(text, width, right=column.right)
            segments.append(Segment(f" {shown} ", style + tone_style(tone)))
        return Strip(segments)

    def changes(self, before: Cells, now: Cells) -> Iterator[tuple[int, int]]:
        """Yield where a cell that is not as before begins in its line, and its width."""
        x = 0
        for column, width in self._fitting:
            if before[column.key] != now[column.key]:
                yield x, width + 2 * PADDING
            x += width + 2 * PADDING
