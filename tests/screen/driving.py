"""Driving the app in tests: opening it, waiting for what it shows, reading the screen."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widgets import Static

from idleclaw_tui.answer import Answer
from idleclaw_tui.app import IdleClawApp
from idleclaw_tui.peers import LocalSharing
from idleclaw_tui.tabs.chat import ChatTab
from idleclaw_tui.tabs.contribute import ContributeTab
from idleclaw_tui.widgets.prompt import PromptArea
from idleclaw_tui.widgets.top_bar import TabName
from tests.screen.fake_node import Made
from tests.screen.fakes import FakeClock, FakeRouter, make_app
from tests.waiting import wait_until


class Screen:
    """The app under test, with what tests ask of it again and again."""

    def __init__(self, app: IdleClawApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def chat(self) -> ChatTab:
        return self.app.screen_stack[0].query_one(ChatTab)

    @property
    def contribute(self) -> ContributeTab:
        return self.app.screen_stack[0].query_one(ContributeTab)

    @property
    def prompt(self) -> PromptArea:
        return self.chat.query_one(PromptArea)

    @property
    def answer(self) -> Answer:
        last = self.chat.conversation.transcript.last
        assert last is not None
        return last.answer

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def ask(self, question: str) -> None:
        """Write a question and send it."""
        self.prompt.insert(question)
        await self.pilot.press("enter")

    async def until(self, predicate: Callable[[], object], what: str) -> None:
        """Wait for something to become true, then for the screen to be at rest."""
        await wait_until(predicate, what)
        await self.pilot.pause()

    async def until_shown(self, *pieces: str) -> None:
        """Wait for all pieces to be on the screen."""
        await self.until(
            lambda: all(piece in self.text for piece in pieces), f"{pieces} on the screen"
        )

    async def until_gone(self, piece: str) -> None:
        """Wait for a piece to leave the screen."""
        await self.until(lambda: piece not in self.text, f"{piece!r} gone")

    def said(self, selector: str) -> str:
        """Return the plain text of a Static."""
        return str(self.app.screen.query_one(selector, Static).content)

    @property
    def text(self) -> str:
        """What stands on the screen, line by line."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in lines)


@asynccontextmanager
async def opened(
    router: FakeRouter,
    size: tuple[int, int] = (100, 30),
    *,
    tab: TabName = "chat",
    sharing: LocalSharing | None = None,
    clock: Callable[[], float] | None = None,
    label: str | None = None,
) -> AsyncIterator[Screen]:
    """Open the app on fakes, wait for the first look at the router, and close it at the end."""
    app = make_app(router, first_tab=tab, sharing=sharing, clock=clock, label=label)
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        screen = Screen(app, pilot)
        await screen.until(lambda: router.looks, "first look")
        yield screen


__all__ = ["FakeClock", "Made", "Screen", "opened"]
