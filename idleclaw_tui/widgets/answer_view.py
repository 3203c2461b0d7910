"""One exchange on the screen: the question, and the answer as it grows."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from idleclaw_tui.answer_line import answer_line, thinking_line
from idleclaw_tui.render_budget import MAX_MARKDOWN_CHARS, TooCostlyError
from idleclaw_tui.transcript import Answer, Exchange
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.words import Toned


class ThinkingHead(Static, can_focus=True):
    """The line that says how long the model thought; opens and closes what it thought."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open_or_close", "Show or hide the thinking", id="thinking.toggle")
    ]
    HELP = "What the model thought before it answered. **Enter** shows or hides it."

    def action_open_or_close(self) -> None:
        """Open or close the thinking below."""
        if isinstance(self.parent, ThinkingView):
            self.parent.open_or_close()

    def on_click(self) -> None:
        """Open or close the thinking below."""
        self.action_open_or_close()


class ThinkingView(Vertical):
    """What the model thought: one line, and the text while it is open."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer
        self._open = False
        self._head = ""
        self._shown = 0

    def compose(self) -> ComposeResult:
        """Lay out the line; the text is mounted only while it is open."""
        yield ThinkingHead("")

    def open_or_close(self) -> None:
        """Open or close the text."""
        self._open = not self._open
        if self._open:
            self._shown = len(self._answer.thinking)
            self.mount(Static(text(self._answer.thinking, "dim"), classes="thinking-text"))
        else:
            self.query(".thinking-text").remove()

    def show(self, now: float) -> None:
        """Show the thinking as it is now."""
        head = thinking_line(self._answer, now)
        if head != self._head:
            self._head = head
            self.query_one(ThinkingHead).update(text(f"▸ {head}", "dim"), layout=False)
        thinking = self._answer.thinking
        if self._open and len(thinking) != self._shown:
            self._shown = len(thinking)
            self.query_one(".thinking-text", Static).update(text(thinking, "dim"))


class AnswerView(Vertical):
    """An answer: thinking, text as Markdown, and one line that says how it is doing.

    The text is Markdown as long as it stays within the render budget, then plain to its end.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self._thinking: ThinkingView | None = None
        self._markdown: AnswerMarkdown | None = None
        self._plain: Static | None = None
        self._drawn = 0
        self._finished = False
        self._line: tuple[Toned, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the line; the rest comes when there is something to show."""
        yield Static("", classes="answer-line")

    async def catch_up(self, now: float) -> None:
        """Draw what came since the last time; once the answer has ended, all of it anew."""
        if self.answer.thinking:
            await self._show_thinking(now)
        if self.answer.ended and not self._finished:
            self._finished = True
            await self._draw_whole()
        elif not self._finished:
            await self._draw_new()
        self.show_line(now)

    def show_line(self, now: float) -> None:
        """Show the line below the answer as it is now."""
        line = answer_line(self.answer, now)
        if line != self._line and self.is_mounted:
            self._line = line
            self.query_one(".answer-line", Static).update(toned(line))

    async def draw_plain(self) -> None:
        """Show the text without Markdown from now on."""
        if self._plain is None:
            self._plain = Static(classes="plain-answer")
            await self.mount(self._plain, before=self.query_one(".answer-line"))
            if self._markdown is not None:
                await self._markdown.remove()
                self._markdown = None
        self._drawn = len(self.answer.text)
        self._plain.update(text(self.answer.text))

    async def _show_thinking(self, now: float) -> None:
        if self._thinking is None:
            self._thinking = ThinkingView(self.answer)
            await self.mount(self._thinking, before=0)
        self._thinking.show(now)

    async def _draw_new(self) -> None:
        full = self.answer.text
        if len(full) == self._drawn:
            return
        if self._plain is not None or len(full) > MAX_MARKDOWN_CHARS:
            await self.draw_plain()
            return
        new, self._drawn = full[self._drawn :], len(full)
        try:
            await (await self._body()).append(new)
        except TooCostlyError:
            await self.draw_plain()

    async def _draw_whole(self) -> None:
        full = self.answer.text
        if not full:
            return
        if self._plain is not None or len(full) > MAX_MARKDOWN_CHARS:
            await self.draw_plain()
            return
        try:
            await (await self._body()).finish(full)
        except TooCostlyError:
            await self.draw_plain()

    async def _body(self) -> AnswerMarkdown:
        if self._markdown is None:
            self._markdown = AnswerMarkdown()
            await self.mount(self._markdown, before=self.query_one(".answer-line"))
        return self._markdown


class QuestionView(Static):
    """What the person asked."""

    def __init__(self, question: str) -> None:
        super().__init__(text(question))


class ExchangeView(Vertical):
    """A question and its answer."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self.exchange = exchange
        self.answer_view = AnswerView(exchange.answer)

    def compose(self) -> ComposeResult:
        """Lay out the question over the answer."""
        yield QuestionView(self.exchange.question)
        yield self.answer_view
