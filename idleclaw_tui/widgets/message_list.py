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


class EarlierLine(Static):
    """Says how many exchanges are not on the screen, and brings them."""

    ALLOW_SELECT = False

    class Clicked(Message):
        """The person wants to see the exchanges that this line stands for."""

        def __init__(self, line: "EarlierLine") -> None:
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

    def compose(self) -> ComposeResult:
        """Lay out the two lines between which the exchanges come and go."""
        yield EarlierLine(id="earlier")
        yield EarlierLine(id="later")

    def on_mount(self) -> None:
        """Stay at the bottom."""
        self.anchor()

    async def show_end(self, exchanges: Sequence[Exchange]) -> None:
        """Show the newest of `exchanges` and scroll to the end."""
        self._exchanges = exchanges
        await self._show_from(len(exchanges) - MAX_MOUNTED)
        self.anchor()

    async def show_earlier(self) -> None:
        """Show `STEP` earlier exchanges, as far as there are any."""
        await self._show_from(self._first - STEP)

    async def show_later(self) -> None:
        """Show `STEP` later exchanges, as far as there are any."""
        await self._show_from(min(self._first + STEP, len(self._exchanges) - MAX_MOUNTED))

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

    async def _show_from(self, first: int) -> None:
        async with self._drawing:
            self._first = max(0, first)
            wanted = list(self._exchanges[self._first : self._first + MAX_MOUNTED])
            with self.app.batch_update():
                await self._mount_exactly(wanted)
                self._show_line("#earlier", self._first, "earlier", "ctrl+up")
                later = len(self._exchanges) - self._first - len(wanted)
                self._show_line("#later", later, "later", "ctrl+down")

    async def _mount_exactly(self, wanted: list[Exchange]) -> None:
        for exchange in self._views.keys() - wanted:
            await self._views.pop(exchange).remove()
        after: Widget = self.query_one("#earlier", EarlierLine)
        for exchange in wanted:
            if exchange not in self._views:
                view = self._views[exchange] = ExchangeView(exchange, self)
                await view.mount(after)
                if exchange.answer.ended:
                    await view.catch_up(exchange.answer.ended_at or 0.0)
            after = self._views[exchange].last

    def _show_line(self, selector: str, number: int, what: str, key: str) -> None:
        line = self.query_one(selector, EarlierLine)
        line.display = number > 0
        noun = words.count(number, f"{what} question")
        line.update(text(f"{noun} · {key} loads", "dim"))
