"""The conversation on the screen: a window of it, at the bottom unless the reader scrolled up."""

import asyncio
from collections.abc import Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from idleclaw_tui import words
from idleclaw_tui.transcript import Exchange
from idleclaw_tui.widgets.exchange_view import ExchangeView
from idleclaw_tui.widgets.safe_text import text

MAX_MOUNTED: Final = 12
"""Exchanges on the screen at once: each is a question and an answer, and every one slows layout."""

STEP: Final = 5


class MoreLine(Static):
    """Says how many exchanges are not on the screen, and brings them."""

    ALLOW_SELECT = False

    class Clicked(Message):
        """The person wants to see the exchanges that this line stands for."""

        def __init__(self, line: "MoreLine") -> None:
            super().__init__()
            self.line = line

    def on_click(self) -> None:
        """Ask for what the line stands for."""
        self.post_message(self.Clicked(self))


class MessageList(VerticalScroll):
    """Shows the exchanges from `first` on, at most `MAX_MOUNTED` of them.

    The conversation itself is held elsewhere; `show` is given all of it each time.
    """

    HELP = "The conversation. **Page Up** and **Page Down** scroll, **Ctrl+Up** loads older parts."

    def __init__(self) -> None:
        super().__init__(id="messages")
        self._exchanges: Sequence[Exchange] = ()
        self._first = 0
        self._views: dict[Exchange, ExchangeView] = {}
        self._drawing = asyncio.Lock()
        self._shifting = False

    def compose(self) -> ComposeResult:
        """Lay out the two lines between which the exchanges come and go."""
        yield MoreLine(id="earlier")
        yield MoreLine(id="later")

    def on_mount(self) -> None:
        """Stay at the bottom."""
        self.anchor()

    async def show_end(self, exchanges: Sequence[Exchange]) -> None:
        """Show the newest of `exchanges` and scroll to the end."""
        self._exchanges = exchanges
        await self._show_from(len(exchanges) - MAX_MOUNTED)
        self.anchor()

    async def show_earlier(self) -> None:
        """Show `STEP` earlier exchanges, as far as there are any; the reader's place stays."""
        await self._shift(self._first - STEP)

    async def show_later(self) -> None:
        """Show `STEP` later exchanges, as far as there are any; the reader's place stays."""
        await self._shift(min(self._first + STEP, len(self._exchanges) - MAX_MOUNTED))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Show more where the reader scrolled to an end of what is mounted."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) == round(new_value) or self._shifting:
            return
        if new_value <= 0 and self._first > 0:
            self.run_worker(self.show_earlier(), group="shift", exit_on_error=False)
        elif new_value >= self.max_scroll_y and new_value > old_value and self._later > 0:
            self.run_worker(self.show_later(), group="shift", exit_on_error=False)

    async def select(self, exchange: Exchange | None) -> None:
        """Mark `exchange` and bring it into view, or mark none."""
        if exchange in self._exchanges and exchange not in self._views:
            await self._show_from(self._exchanges.index(exchange) - STEP)
        for shown, view in self._views.items():
            view.mark(selected=shown is exchange)
            if shown is exchange:
                self.scroll_to_widget(view.first, animate=False, top=True)

    async def draw(self, exchange: Exchange, now: float) -> None:
        """Draw what is new of the answer of `exchange`, if it is on the screen."""
        async with self._drawing:
            if exchange in self._views:
                await self._views[exchange].catch_up(now)

    async def draw_plain(self, exchange: Exchange) -> None:
        """Draw the answer of `exchange` without Markdown."""
        async with self._drawing:
            if exchange in self._views:
                await self._views[exchange].draw_plain()

    @property
    def _later(self) -> int:
        """How many exchanges come after those that are mounted."""
        return max(0, len(self._exchanges) - self._first - MAX_MOUNTED)

    async def _shift(self, first: int) -> None:
        """Mount from `first` on, and keep on its place what the reader sees there."""
        first = max(0, first)
        if first == self._first or self._shifting:
            return
        self._shifting = True
        try:
            kept = self._exchanges[max(first, self._first)]
            before = self._views[kept].first.virtual_region.y - self.scroll_y
            self.release_anchor()
            await self._show_from(first)
            placed = asyncio.Event()
            self.call_after_refresh(placed.set)
            await placed.wait()
            place = self._views[kept].first.virtual_region.y - before
            self.scroll_to(y=place, animate=False, immediate=True, force=True)
        finally:
            self._shifting = False

    async def _show_from(self, first: int) -> None:
        async with self._drawing:
            self._first = max(0, first)
            wanted = list(self._exchanges[self._first : self._first + MAX_MOUNTED])
            with self.app.batch_update():
                await self._mount_exactly(wanted)
                self._show_line("#earlier", self._first, "earlier", "ctrl+up")
                self._show_line("#later", self._later, "later", "ctrl+down")

    async def _mount_exactly(self, wanted: list[Exchange]) -> None:
        for exchange in self._views.keys() - wanted:
            await self._views.pop(exchange).remove()
        after: Widget = self.query_one("#earlier", MoreLine)
        for exchange in wanted:
            if exchange not in self._views:
                view = self._views[exchange] = ExchangeView(exchange, self)
                await view.mount(after)
                if exchange.answer.ended:
                    await view.catch_up(exchange.answer.ended_at or 0.0)
            after = self._views[exchange].last

    def _show_line(self, selector: str, number: int, what: str, key: str) -> None:
        line = self.query_one(selector, MoreLine)
        line.display = number > 0
        noun = words.count(number, f"{what} question")
        line.update(text(f"{noun} · {key} loads", "dim"))
