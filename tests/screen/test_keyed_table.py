"""The table that stays put: cursor and scroll by key, and only what is seen is drawn."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.geometry import Region
from textual.pilot import Pilot

from idleclaw_tui.network.table_layout import Cells, Column, TableRow, fit_columns, fitted
from idleclaw_tui.network.table_view import View, held
from idleclaw_tui.screen.widgets.keyed_table import KeyedTable
from idleclaw_tui.words import Toned
from tests.waiting import wait_until

COLUMNS = (Column("name", "name", 10, flexible=True), Column("n", "n", 6, right=True))
HEIGHT = 12


class RecordingTable(KeyedTable):
    """Notes which regions it is told to draw again."""

    drawn: list[Region]

    def refresh(self, *regions: Region, **options: bool) -> "RecordingTable":
        """Note and go on."""
        if hasattr(self, "drawn"):
            self.drawn += regions or (Region(0, 0, -1, -1),)
        super().refresh(*regions, **options)
        return self


class TableApp(App[None]):
    """Nothing but a table."""

    CSS = "KeyedTable { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.table = RecordingTable(COLUMNS, id="table")
        self.chosen: list[str | None] = []
        self.heads: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    @on(KeyedTable.Chosen)
    def note_chosen(self, message: KeyedTable.Chosen) -> None:
        self.chosen.append(message.table.key_under_cursor)

    @on(KeyedTable.HeadClicked)
    def note_head(self, message: KeyedTable.HeadClicked) -> None:
        self.heads.append(message.column)


def rows(*keys: str, **numbers: int) -> list[TableRow]:
    """Return rows with these keys; a number is 0 unless given."""
    return [
        TableRow(key, {"name": Toned(key), "n": Toned(str(numbers.get(key, 0)))}) for key in keys
    ]


def names(*numbers: int) -> list[str]:
    """Return keys."""
    return [f"row-{number:03}" for number in numbers]


@asynccontextmanager
async def shown(*keys: str) -> AsyncIterator[tuple[RecordingTable, Pilot[None], TableApp]]:
    """A table of 40x12, which is 11 rows under the head."""
    app = TableApp()
    async with app.run_test(size=(40, HEIGHT)) as pilot:
        app.table.focus()
        app.table.show(rows(*keys))
        await pilot.pause()
        app.table.drawn = []
        yield app.table, pilot, app


def lines(app: TableApp) -> list[str]:
    """What stands on the screen, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def test_only_cells_that_changed_are_drawn_again() -> None:
    async with shown("a", "b", "c") as (table, pilot, app):
        table.show(rows("a", "b", "c"))
        assert table.drawn == []
        table.show(rows("a", "b", "c", b=7))
        left = 40 - 8
        assert table.drawn == [Region(left, 2, 8, 1)]
        await pilot.pause()
        assert lines(app)[2].split() == ["b", "7"]


async def test_rows_off_the_screen_are_not_asked_for_their_cells() -> None:
    asked = []

    @dataclass
    class Asked:
        key: str

        @property
        def cells(self) -> Cells:
            asked.append(self.key)
            return {"name": Toned(self.key), "n": Toned("0")}

    async with shown() as (table, pilot, _):
        table.show([Asked(key) for key in names(*range(1000))])
        await pilot.pause()
        assert set(asked) == set(names(*range(HEIGHT - 1)))


async def test_the_first_row_is_under_the_cursor_until_the_person_moves() -> None:
    async with shown("b", "c") as (table, pilot, _):
        table.show(rows("a", "b", "c"))
        assert table.key_under_cursor == "a"
        await pilot.press("down")
        assert table.key_under_cursor == "b"
        table.show(rows("0", "a", "b", "c"))
        assert table.key_under_cursor == "b"


async def test_a_row_that_goes_leaves_the_cursor_to_the_next_one() -> None:
    async with shown("a", "b", "c", "d") as (table, pilot, _):
        await pilot.press("down", "down")
        table.show(rows("a", "b", "d"))
        assert table.key_under_cursor == "d"
        table.show(rows("a", "b"))
        assert table.key_under_cursor == "b"
        table.show([])
        assert table.key_under_cursor is None
        table.show(rows("x"))
        assert table.key_under_cursor == "x"


async def test_the_row_under_the_cursor_keeps_its_line_while_others_come_and_go() -> None:
    rng = random.Random(3)
    online = set(range(100, 900, 2))
    async with shown(*names(*sorted(online))) as (table, pilot, app):
        await pilot.press(*["pagedown"] * 10, *["up"] * 5)
        held = table.key_under_cursor
        assert held is not None
        await pilot.pause()
        line = next(y for y, text in enumerate(lines(app)) if held in text)
        for _ in range(60):
            online ^= {rng.randrange(1000) for _ in range(25)} | {1}
            online.add(int(held[4:]))
            table.show(rows(*names(*sorted(online)), **{held: rng.randrange(100)}))
            await pilot.pause()
            assert table.key_under_cursor == held
            assert held in lines(app)[line]


async def test_what_was_scrolled_to_stays_in_sight() -> None:
    keys = names(*range(100))
    async with shown(*keys) as (table, pilot, app):
        wheel = MouseScrollDown(table, 5, 5, 0, 1, 0, False, False, False)
        for _ in range(20):
            table.post_message(wheel)
        await pilot.pause()
        await wait_until(lambda: table.scroll_offset.y == table.scroll_target_y, "scrolled")
        first = table.keys[table.scroll_offset.y]
        assert first > keys[12]
        table.show(rows("new", *keys[10:]))
        await pilot.pause()
        assert first in lines(app)[1]
        assert table.key_under_cursor == keys[10]


async def test_keys_and_clicks() -> None:
    keys = names(*range(30))
    async with shown(*keys) as (table, pilot, app):
        await pilot.press("end")
        assert table.key_under_cursor == keys[-1]
        await pilot.pause()
        assert keys[-1] in lines(app)[HEIGHT - 1]
        await pilot.press("home", "pagedown", "up", "enter")
        assert app.chosen == [keys[10]]
        await pilot.press("home")
        await pilot.click(table, offset=(3, 4))
        assert (table.key_under_cursor, app.chosen) == (keys[3], [keys[10]])
        await pilot.click(table, offset=(3, 4))
        assert app.chosen == [keys[10], keys[3]]
        await pilot.click(table, offset=(38, 0))
        assert app.heads == ["n"]


async def test_a_table_that_gets_smaller_still_shows_the_cursor() -> None:
    keys = names(*range(30))
    async with shown(*keys) as (table, pilot, app):
        table.move_to(10)
        await pilot.resize_terminal(40, 6)
        await pilot.pause()
        assert keys[10] in "\n".join(lines(app))
        assert table.key_under_cursor == keys[10]


keys_of_rows = st.lists(st.sampled_from("abcdefghijkl"), unique=True, min_size=1)


@given(keys_of_rows, keys_of_rows, st.integers(0, 11), st.integers(0, 11), st.integers(1, 6))
def test_the_view_holds_its_keys(
    before: list[str], after: list[str], cursor: int, top: int, count: int
) -> None:
    view = View(min(cursor, len(before) - 1), min(top, len(before) - 1))
    now = held(view, before, after, count)
    assert 0 <= now.cursor < len(after)
    key = before[view.cursor]
    visible = view.top <= view.cursor < view.top + count
    if key in after:
        assert after[now.cursor] == key
    if visible:
        assert now.cursor - now.top == view.cursor - view.top
    elif before[view.top] in after:
        assert after[now.top] == before[view.top]


def test_columns_go_by_rank_where_the_room_is_short() -> None:
    columns = (
        Column("name", "name", 10, flexible=True),
        Column("b", "b", 5, rank=2),
        Column("a", "a", 5, rank=1),
    )
    assert [(c.key, w) for c, w in fit_columns(columns, 40)] == [("name", 24), ("b", 5), ("a", 5)]
    assert [(c.key, w) for c, w in fit_columns(columns, 25)] == [("name", 16), ("a", 5)]
    assert [(c.key, w) for c, w in fit_columns(columns, 3)] == [("name", 10)]


@pytest.mark.parametrize(
    "name",
    ["", "a", "模" * 64, "a" + "模" * 64, "é" * 9, "🦙" * 64, "\x1b[31mred\x1b]0;x\x07", "a\tb\nc"],
)
@pytest.mark.parametrize("width", [1, 2, 7, 8])
def test_a_cell_is_exactly_as_wide_as_its_column(name: str, width: int) -> None:
    for right in (False, True):
        text = fitted(name, width, right=right)
        assert cell_len(text) == width
        assert text.isprintable()
