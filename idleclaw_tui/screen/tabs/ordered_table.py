"""A table in a frame with what one of the Network tab's two halves needs around it."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from idleclaw_tui.network.order import SteadyOrder
from idleclaw_tui.network.table_layout import Row as TableLine
from idleclaw_tui.screen.widgets.keyed_table import KeyedTable
from idleclaw_tui.screen.widgets.safe_text import text

Row = TypeVar("Row")


class OrderedTable(Vertical, Generic[Row]):
    """Rows in an order that keeps still while the person moves among them.

    `line` makes the table's row of one; rows off the screen are not asked for their cells.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{n}", f"column({n - 1})", f"Sort by column {n}", id=f"rows.sort{n}", show=False)
        for n in range(1, 10)
    ]

    class Reordered(Message):
        """The rows are to be shown anew, in another order."""

    def __init__(
        self,
        table: KeyedTable,
        title: str,
        order: SteadyOrder[Row],
        line: Callable[[Row], TableLine],
        clock: Callable[[], float],
        *,
        id: str,
    ) -> None:
        super().__init__(id=id, classes="framed")
        self.table = table
        self.order = order
        self._title = title
        self._line = line
        self._clock = clock
        self._empty = Static("", classes="empty")
        self._around = ("", "", "")

    def compose(self) -> ComposeResult:
        """Lay out the table over what is said where it is empty."""
        yield self.table
        self._empty.display = False
        yield self._empty

    def show(self, rows: Mapping[str, Row], total: int, nothing: str) -> None:
        """Show `rows` of `total` that there are; `nothing` is said where there are none."""
        keys = self.order.arrange(rows, self._clock())
        self.table.mark_sorted(self.order.by.column, self.order.descending)
        self.table.show([self._line(rows[key]) for key in keys])
        of = f"{len(rows):,} of {total:,}" if len(rows) != total else f"{total:,}"
        said = "order changed · s sorts" if self.order.stale else ""
        around = (f"{self._title} {of}" if total else self._title, said, "" if rows else nothing)
        if around != self._around:
            self._around = around
            self._show_around(*around)

    def _show_around(self, title: str, said: str, nothing: str) -> None:
        """Draw the frame, which draws all that is inside."""
        self.border_title = text(title)
        self.border_subtitle = text(said, "warn")
        self._empty.display = bool(nothing)
        self._empty.update(text(nothing, "dim"))

    def sort_now(self) -> None:
        """Sort anew."""
        self.order.sort_now(self._clock())
        self.post_message(self.Reordered())

    def sort_by_next(self) -> None:
        """Sort by the next column that is shown."""
        shown = [column.key for column in self.table.shown_columns]
        self.order.sort_by_next(shown, self._clock())
        self._sorted()

    def action_column(self, place: int) -> None:
        """Sort by the column shown at `place`, counted from 0; backwards if it is already."""
        shown = self.table.shown_columns
        if place < len(shown) and self.order.sort_by(shown[place].key, self._clock()):
            self._sorted()

    @on(KeyedTable.HeadClicked)
    def _head_clicked(self, message: KeyedTable.HeadClicked) -> None:
        if self.order.sort_by(message.column, self._clock()):
            self._sorted()

    @on(KeyedTable.Touched)
    def _touched(self) -> None:
        self.order.touched(self._clock())

    def _sorted(self) -> None:
        self.table.to_top()
        self.post_message(self.Reordered())
