"""One exchange on the screen: the question, and the answer as it grows."""

from typing import Final

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from idleclaw_tui.answer_line import answer_line
from idleclaw_tui.render_budget import MAX_MARKDOWN_CHARS, TooCostlyError
from idleclaw_tui.transcript import Answer, Exchange
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.widgets.thinking_view import ThinkingView
from idleclaw_tui.words import Toned

PLAIN_CHARS: Final = 4_000
"""Plain text is cut into pieces of this length, so that only the last one is laid out anew."""


class QuestionView(Static):
    """What the person asked."""

    DEFAULT_CSS = "QuestionView.-selected { background: $panel; border-left: outer $secondary; }"

    def __init__(self, question: str) -> None:
        super().__init__(text(question))


class ExchangeView:
    """The widgets of one exchange, side by side in the list of messages.

    They have no container of their own, because every nested one makes each layout dearer. The
    answer is Markdown as far as the render budget allows, and plain from there on.
    """

    def __init__(self, exchange: Exchange, messages: VerticalScroll) -> None:
        self._messages = messages
        self._question = QuestionView(exchange.question)
        self._answer: Answer = exchange.answer
        self._thinking: ThinkingView | None = None
        self._markdown: AnswerMarkdown | None = None
        self._plain: list[Static] = []
        self._rich: int | None = None
        self._frozen = 0
        self._line_view = Static("", classes="answer-line")
        self._line: tuple[Toned, ...] = ()
        self._drawn = 0
        self._finished = False

    @property
    def last(self) -> Widget:
        """The widget after which the next exchange comes."""
        return self._line_view

    @property
    def first(self) -> Widget:
        """The widget with which the exchange begins."""
        return self._question

    def mark(self, *, selected: bool) -> None:
        """Show whether the exchange is the one that actions are about."""
        self._question.set_class(selected, "-selected")

    async def mount(self, after: Widget) -> None:
        """Put question and line on the screen; the answer comes between them."""
        await self._messages.mount(self._question, self._line_view, after=after)

    async def remove(self) -> None:
        """Take everything off the screen."""
        between = [self._thinking, self._markdown, *self._plain]
        widgets = [self._question, *(w for w in between if w is not None), self._line_view]
        await self._messages.remove_children(widgets)

    async def catch_up(self, now: float) -> None:
        """Draw what came since the last time; once the answer has ended, draw it for good."""
        if self._answer.thinking:
            await self._show_thinking(now)
        if self._answer.ended and not self._finished:
            self._finished = True
            await self._draw_for_good()
        elif not self._finished:
            await self._draw_new()
        self._show_line(now)

    async def draw_plain(self) -> None:
        """Draw all of the text without Markdown."""
        self._finished = True
        await self._remove_markdown()
        await self._messages.remove_children(self._plain)
        self._plain = []
        self._rich = self._frozen = 0
        await self._draw_plain_tail()

    def _show_line(self, now: float) -> None:
        line = answer_line(self._answer, now)
        if line != self._line:
            self._line = line
            self._line_view.update(toned(line))

    async def _show_thinking(self, now: float) -> None:
        if self._thinking is None:
            self._thinking = ThinkingView(self._answer)
            await self._messages.mount(self._thinking, after=self._question)
        self._thinking.show(now)

    async def _draw_new(self) -> None:
        full = self._answer.text
        if len(full) == self._drawn:
            return
        if self._rich is None and await self._draw_markdown(full[self._drawn :]):
            self._drawn = len(full)
            return
        if self._rich is None:
            self._rich = self._frozen = self._drawn
            if self._rich == 0:
                await self._remove_markdown()
        await self._draw_plain_tail()

    async def _draw_markdown(self, new: str) -> bool:
        if self._drawn + len(new) > MAX_MARKDOWN_CHARS:
            return False
        try:
            await (await self._body()).append(new)
        except TooCostlyError:
            return False
        return True

    async def _draw_for_good(self) -> None:
        full = self._answer.text
        if self._drawn:
            await self._draw_new()
        rich = len(full) if self._rich is None else self._rich
        if not rich:
            return
        try:
            if rich > MAX_MARKDOWN_CHARS:
                raise TooCostlyError
            await (await self._body()).finish(full[:rich])
        except TooCostlyError:
            await self.draw_plain()

    async def _draw_plain_tail(self) -> None:
        """Freeze whole pieces; what is left is the piece that still grows."""
        full = self._answer.text
        self._drawn = len(full)
        while len(full) - self._frozen > PLAIN_CHARS:
            newline = full.rfind("\n", self._frozen + 1, self._frozen + PLAIN_CHARS)
            end = newline if newline > 0 else self._frozen + PLAIN_CHARS
            await self._update_last_piece(full[self._frozen : end])
            self._frozen = end + (newline > 0)
            await self._add_piece()
        await self._update_last_piece(full[self._frozen :])

    async def _update_last_piece(self, piece: str) -> None:
        if not self._plain:
            await self._add_piece()
        self._plain[-1].update(text(piece))

    async def _add_piece(self) -> None:
        self._plain.append(Static(classes="plain-answer"))
        await self._messages.mount(self._plain[-1], before=self._line_view)

    async def _body(self) -> AnswerMarkdown:
        if self._markdown is None:
            self._markdown = AnswerMarkdown()
            before = self._plain[0] if self._plain else self._line_view
            await self._messages.mount(self._markdown, before=before)
        return self._markdown

    async def _remove_markdown(self) -> None:
        if self._markdown is not None:
            await self._markdown.remove()
            self._markdown = None
