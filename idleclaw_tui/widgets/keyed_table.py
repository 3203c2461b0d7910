"""A table whose rows have keys and stay put while what they say changes."""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from idleclaw_tui.table_layout import Cells, Column, Row
from idleclaw_tui.table_view import View, held
from idleclaw_tui.widgets.safe_text import tone_style
from idleclaw_tui.widgets.table_drawing import TableDrawing
from idleclaw_tui.words import Tone

_HEAD_LINES: Final = 1


class KeyedTable(ScrollView, can_focus=True):
    """Shows rows in the order given: cursor and scroll position belong to keys, not to places.

    Only rows on the screen are asked for their cells, and only cells that changed are drawn again,
    so that a thousand rows cost what forty do. All cells are plain text, never markup.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keyed-table--header", "keyed-table--cursor"}
    DEFAULT_CSS = """
    KeyedTable {
        height: auto;
        max-height: 100%;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .keyed-table--header { color: $text-muted; }
        & > .keyed-table--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
        }
        &:focus > .keyed-table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Row above", id="rows.up", show=False),
        Binding("down", "move(1)", "Row below", id="rows.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="rows.pageup", show=False),
        Binding("pagedown", "page(1)", "Page down", id="rows.pagedown", show=False),
        Binding("home", "edge(False)", "First row", id="rows.first", show=False),
        Binding("end", "edge(True)", "Last row", id="rows.last", show=False),
        Binding("enter", "choose", "Choose", id="rows.choose", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The place of the row under the cursor."""

    class _Told(Message):
        def __init__(self, table: "KeyedTable") -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> "KeyedTable":
            """The table, for `on` to select by."""
            return self.table

    class Highlighted(_Told):
        """Another row is under the cursor."""

    class Touched(_Told):
        """The person moves here."""

    class Chosen(_Told):
        """The person wants the row under the cursor."""

    class HeadClicked(_Told):
        """The person clicked the head of a column."""

        def __init__(self, table: "KeyedTable", column: str) -> None:
            super().__init__(table)
            self.column = column

    def __init__(self, columns: Sequence[Column], *, id: str) -> None:
        super().__init__(id=id)
        self._drawing = TableDrawing(columns)
        self._rows: list[Row] = []
        self._drawn: dict[int, tuple[str, Cells]] = {}
        self._styles_of_tones: dict[Tone, Style] = {}
        self._placed = False

    @property
    def key_under_cursor(self) -> str | None:
        """The key of the row under the cursor, None in an empty table."""
        return self._rows[self.cursor].key if self._rows else None

    @property
    def keys(self) -> list[str]:
        """The keys of all rows in the order shown."""
        return [row.key for row in self._rows]

    @property
    def shown_columns(self) -> list[Column]:
        """The columns that there is room for."""
        return self._drawing.columns

    def show(self, rows: Sequence[Row]) -> None:
        """Show exactly `rows`, whose keys differ, in their order.

        The row under the cursor keeps its line on the screen. Where it went, the next one that is
        left takes its place. Until the person has moved, the cursor stays on the first row.
        """
        before, key = self.keys, self.key_under_cursor
        self._rows = list(rows)
        self.virtual_size = Size(self.size.width, _HEAD_LINES + len(self._rows))
        view = View(0, 0)
        if self._placed:
            view = held(View(self.cursor, self.scroll_offset.y), before, self.keys, self._lines)
        self.set_reactive(KeyedTable.cursor, view.cursor)
        self.scroll_to(y=view.top, animate=False, force=True)
        self._draw_changes()
        if key != self.key_under_cursor:
            self.post_message(self.Highlighted(self))

    def mark_sorted(self, column: str, descending: bool) -> None:
        """Mark the head of the column that the rows are sorted by."""
        if self._drawing.sorted_by != (column, descending):
            self._drawing.sorted_by = (column, descending)
            self.refresh_line(self.scroll_offset.y)

    def to_top(self) -> None:
        """Put the cursor on whatever row is the first."""
        self._placed = False
        self.cursor = 0

    def move_to(self, place: int) -> None:
        """Put the cursor on the row at `place`, or the nearest there is, and show it."""
        self._placed = True
        self.post_message(self.Touched(self))
        self.cursor = max(0, min(place, len(self._rows) - 1))
        self._reveal()

    def action_move(self, rows: int) -> None:
        """Move the cursor by some rows."""
        self.move_to(self.cursor + rows)

    def action_page(self, direction: int) -> None:
        """Move the cursor by what fits on the screen."""
        self.move_to(self.cursor + direction * self._lines)

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self.move_to(len(self._rows) - 1 if last else 0)

    def action_choose(self) -> None:
        """Tell that the row under the cursor is wanted."""
        if self._rows:
            self.post_message(self.Chosen(self))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw both rows, and tell."""
        if old != new:
            for place in (old, new):
                self.refresh_line(_HEAD_LINES + place)
            self.post_message(self.Highlighted(self))

    def on_focus(self) -> None:
        """Show that the cursor can be moved."""
        self._draw_cursor()

    def on_blur(self) -> None:
        """Show that it cannot."""
        self._draw_cursor()

    def _draw_cursor(self) -> None:
        self.refresh_line(_HEAD_LINES + self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Move to the row, or choose the one under the cursor; heads tell their column."""
        if event.y < _HEAD_LINES:
            if column := self._drawing.column_at(event.x):
                self.post_message(self.HeadClicked(self, column))
            return
        place = self.scroll_offset.y + event.y - _HEAD_LINES
        if place < len(self._rows):
            chosen = place == self.cursor and self._placed
            self.move_to(place)
            if chosen:
                self.action_choose()

    def on_mouse_scroll_down(self) -> None:
        """Hold what the person scrolled to."""
        self._placed = True
        self.post_message(self.Touched(self))

    on_mouse_scroll_up = on_mouse_scroll_down

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns anew; this keeps rows, cursor and scroll position."""
        self._drawing.use_width(event.size.width)
        self._forget_drawn()
        if self._placed:
            self.call_after_refresh(self._reveal)

    def notify_style_update(self) -> None:
        """Take the colours of the theme."""
        super().notify_style_update()
        self._styles_of_tones.clear()
        self._forget_drawn()

    def render_line(self, y: int) -> Strip:
        """Return the head, or a row as it is now."""
        width = self.size.width
        if y < _HEAD_LINES:
            plain = self.rich_style + self.get_component_rich_style("keyed-table--header")
            head = self._drawing.head(plain, self.rich_style + Style(bold=True))
            return head.adjust_cell_length(width, self.rich_style)
        place = self.scroll_offset.y + y - _HEAD_LINES
        if place >= len(self._rows):
            self._drawn.pop(y, None)
            return Strip.blank(width, self.rich_style)
        row = self._rows[place]
        cells = row.cells
        self._drawn[y] = (row.key, cells)
        style = self.rich_style
        if place == self.cursor:
            style += self.get_component_rich_style("keyed-table--cursor")
        return self._drawing.row(cells, style, self._tone).adjust_cell_length(width, style)

    @property
    def _lines(self) -> int:
        """How many rows fit."""
        return max(1, self.scrollable_content_region.height - _HEAD_LINES)

    def _reveal(self) -> None:
        """Scroll no more than the cursor's row needs to be seen."""
        top = max(self.scroll_offset.y, self.cursor - self._lines + 1)
        self.scroll_to(y=min(top, self.cursor), animate=False, force=True)

    def _tone(self, tone: Tone) -> Style:
        if tone not in self._styles_of_tones:
            self._styles_of_tones[tone] = tone_style(tone, self.app.theme_variables)
        return self._styles_of_tones[tone]

    def _draw_changes(self) -> None:
        """Draw again what is not on the screen as it should be."""
        for y in range(_HEAD_LINES, self.size.height):
            place = self.scroll_offset.y + y - _HEAD_LINES
            row = self._rows[place] if place < len(self._rows) else None
            drawn = self._drawn.get(y)
            if row is None or drawn is None or drawn[0] != row.key:
                if row is not None or drawn is not None:
                    self.refresh(Region(0, y, self.size.width, 1))
                continue
            for x, width in self._drawing.changes(drawn[1], row.cells):
                self.refresh(Region(x, y, width, 1))

    def _forget_drawn(self) -> None:
        self._drawn.clear()
        self.refresh()
