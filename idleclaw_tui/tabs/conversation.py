"""One conversation on the screen, with the workers that receive and draw its answers."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Final

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.worker import Worker, WorkerState

from idleclaw_protocol.chat import ChatBody
from idleclaw_tui.answer import Answer
from idleclaw_tui.code_blocks import code_blocks
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.peers import Router
from idleclaw_tui.render_budget import flush_delay
from idleclaw_tui.tabs.chat_dialogs import copy_code
from idleclaw_tui.tabs.links import ask_about_link
from idleclaw_tui.transcript import Exchange, Transcript
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.greeting import Greeting
from idleclaw_tui.widgets.message_list import MessageList, MoreLine
from idleclaw_tui.words import Toned

_ANSWER: Final = "answer"
_SHOW: Final = "show"
_UNREADABLE: Final = "This program could not read the answer."


class Conversation(Vertical):
    """A transcript on the screen.

    Two workers share an exchange: one takes updates from the router into the transcript and never
    waits for the screen, the other draws what the transcript holds, as often as that is cheap.
    """

    class Changed(Message):
        """An answer began or ended."""

    def __init__(
        self, router: Router, clock: Callable[[], float], transcript: Transcript | None = None
    ) -> None:
        super().__init__()
        self.transcript = transcript or Transcript()
        self._router = router
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Lay out greeting and messages, of which one shows."""
        yield Greeting()
        yield MessageList()

    def on_mount(self) -> None:
        """Begin with the greeting."""
        self._show_emptiness()

    def offer(self, parts: tuple[Toned, ...]) -> None:
        """Say in an empty conversation what the network offers now."""
        if not self.transcript.exchanges:
            self.query_one(Greeting).offer(parts)

    def begin(self, *, think: bool) -> None:
        """Ask the router for the answer to the last exchange, which was just added."""
        exchange = self.transcript.exchanges[-1]
        self._begin(exchange, self.transcript.body(think=think))

    def stop(self) -> None:
        """End the running answer; its text stays, and the router is told to cancel."""
        if running := self.transcript.running:
            running.end("stopped", self._clock())
            self.workers.cancel_group(self, _ANSWER)

    async def tick(self) -> None:
        """Show how the time passes that has to be waited before asking again."""
        last = self.transcript.last
        if last is not None and last.answer.ended and last.answer.failure is not None:
            await self.query_one(MessageList).draw(last, self._clock())

    async def show_end(self) -> None:
        """Show the end of a conversation that is there already."""
        self._show_emptiness()
        await self.query_one(MessageList).show_end(self.transcript.exchanges)

    async def select(self, exchange: Exchange | None) -> None:
        """Mark an exchange and bring it into view, or mark none."""
        await self.query_one(MessageList).select(exchange)

    def page(self, direction: int) -> None:
        """Scroll by a page, at once, so that a key that is held down goes on and on."""
        messages = self.query_one(MessageList)
        place = messages.scroll_y + direction * max(1, messages.size.height - 1)
        messages.scroll_to(y=place, animate=False, immediate=True)

    async def show_more(self, *, earlier: bool) -> None:
        """Show exchanges that are not on the screen."""
        messages = self.query_one(MessageList)
        await (messages.show_earlier() if earlier else messages.show_later())

    def _begin(self, exchange: Exchange, body: ChatBody) -> None:
        ended = asyncio.Event()
        self._receive(exchange.answer, body, ended)
        self._show(exchange, ended)
        self.post_message(self.Changed())

    @work(exclusive=True, group=_ANSWER, exit_on_error=False)
    async def _receive(self, answer: Answer, body: ChatBody, ended: asyncio.Event) -> None:
        try:
            async with aclosing(self._router.chat(body)) as updates:
                async for update in updates:
                    answer.apply(update, self._clock())
                    if answer.full:
                        answer.end("length", self._clock())
                        break
        except IdleClawError as error:
            answer.fail(error, self._clock())
        finally:
            # Whatever else happened here, no answer is left hanging.
            answer.end("failed", self._clock(), _UNREADABLE)
            ended.set()

    @work(exclusive=True, group=_SHOW, exit_on_error=False)
    async def _show(self, exchange: Exchange, received: asyncio.Event) -> None:
        self._show_emptiness()
        messages = self.query_one(MessageList)
        await messages.show_end(self.transcript.exchanges)
        ended = False
        while not ended:
            ended = exchange.answer.ended
            began = self._clock()
            await messages.draw(exchange, began)
            await self._painted()
            if not ended:
                with suppress(TimeoutError):
                    async with asyncio.timeout(flush_delay(self._clock() - began)):
                        await received.wait()
        self.post_message(self.Changed())

    async def _painted(self) -> None:
        """Wait for the layout and the painting, which are most of what a drawing costs."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Draw an answer plain where drawing it as Markdown failed."""
        last = self.transcript.last
        if event.state is WorkerState.ERROR and event.worker.group == _SHOW and last is not None:
            self.run_worker(self._show_plain(last), group="plain", exit_on_error=False)

    async def _show_plain(self, exchange: Exchange) -> None:
        await self.query_one(MessageList).draw_plain(exchange)
        self._show(exchange, asyncio.Event())

    @on(MoreLine.Clicked)
    async def _more(self, message: MoreLine.Clicked) -> None:
        await self.show_more(earlier=message.line.id == "earlier")

    @on(AnswerMarkdown.LinkClicked)
    def _link(self, message: AnswerMarkdown.LinkClicked) -> None:
        ask_about_link(self, message.href)

    @on(AnswerMarkdown.CopyClicked)
    def _copy_code(self, message: AnswerMarkdown.CopyClicked) -> None:
        for block in code_blocks(message.answer.source):
            if block.number == message.number:
                copy_code(self, block)

    def _show_emptiness(self) -> None:
        empty = not self.transcript.exchanges
        self.query_one(Greeting).display = empty
        self.query_one(MessageList).display = not empty
