"""A table whose rows have keys and stay put while what they say changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.widgets import DataTable

from idleclaw_tui.widgets.safe_text import cell
from idleclaw_tui.words import Toned


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


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its key, and a cell for every column, shown or not."""

    key: str
    cells: dict[str, Toned]


_PADDING = 1
_MAX_FLEXIBLE = 64
_USUAL_WIDTH = 80


def fit_columns(columns: Sequence[Column], room: int) -> list[tuple[Column, int]]:
    """Return the columns that fit into `room` cells, in their order, with their widths."""
    kept: list[Column] = []
    left = room
    for column in sorted(columns, key=lambda column: column.rank):
        needed = column.width + 2 * _PADDING
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


class KeyedTable(DataTable[Text]):
    """Shows `TableRow`s: the cursor and the scroll position belong to keys, not to places.

    Cells are redrawn only where they changed. All cells are rich `Text`, never markup.
    """

    def __init__(self, columns: Sequence[Column], *, id: str) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=_PADDING)
        self._all_columns = tuple(columns)
        self._shown_columns: list[tuple[Column, int]] = []
        self._rows_shown: dict[str, TableRow] = {}
        self._theme_drawn: str | None = None

    @property
    def key_under_cursor(self) -> str | None:
        """The key of the row under the cursor, None in an empty table."""
        if not self.is_valid_coordinate(self.cursor_coordinate):
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def on_mount(self) -> None:
        """Take a usual width until the real one is known, which a hidden table waits for."""
        self._rebuild_columns(_USUAL_WIDTH)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns anew; this keeps rows, cursor and scroll position."""
        self._rebuild_columns(event.size.width)

    def show(self, rows: Sequence[TableRow]) -> None:
        """Show exactly `rows`, in their order."""
        wanted = {row.key: row for row in rows}
        kept = [key for key in self._rows_shown if key in wanted]
        if list(wanted)[: len(kept)] != kept or self._theme_drawn != self.app.theme:
            self._rebuild_rows(wanted)
            return
        cursor = self.key_under_cursor
        with self.app.batch_update():
            for key in self._rows_shown.keys() - wanted.keys():
                self.remove_row(key)
            for key in kept:
                self._update_row(wanted[key], self._rows_shown[key])
            for key in list(wanted)[len(kept) :]:
                self.add_row(*self._cells(wanted[key]), key=key)
        gone = len(kept) < len(self._rows_shown)
        self._rows_shown = wanted
        if gone and cursor in wanted:
            self._put_cursor(cursor)

    def _update_row(self, row: TableRow, shown: TableRow) -> None:
        for column, _ in self._shown_columns:
            now = row.cells[column.key]
            if now != shown.cells[column.key]:
                self.update_cell(row.key, column.key, self._cell(column, now))

    def _put_cursor(self, key: str) -> None:
        self.move_cursor(row=self.get_row_index(key), animate=False, scroll=False)

    def _rebuild_rows(self, rows: dict[str, TableRow]) -> None:
        cursor, scroll_y = self.key_under_cursor, self.scroll_y
        self._theme_drawn = self.app.theme
        self._rows_shown = rows
        with self.app.batch_update():
            self.clear()
            for row in rows.values():
                self.add_row(*self._cells(row), key=row.key)
        if cursor in rows:
            self._put_cursor(cursor)
        self.call_after_refresh(self.scroll_to, y=scroll_y, animate=False, force=True)

    def _rebuild_columns(self, width: int) -> None:
        columns = fit_columns(self._all_columns, width)
        if columns == self._shown_columns:
            return
        cursor = self.key_under_cursor
        self._shown_columns = columns
        self.clear(columns=True)
        for column, column_width in columns:
            head = Text(column.head, justify="right" if column.right else "left", end="")
            self.add_column(head, width=column_width, key=column.key)
        self._rebuild_rows(self._rows_shown)
        if cursor in self._rows_shown:
            self._put_cursor(cursor)

    def _cells(self, row: TableRow) -> list[Text]:
        return [self._cell(column, row.cells[column.key]) for column, _ in self._shown_columns]

    def _cell(self, column: Column, value: Toned) -> Text:
        return cell(value, self.app.theme_variables, right=column.right)
