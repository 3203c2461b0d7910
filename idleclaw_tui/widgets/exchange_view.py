"""One exchange on the screen: the question, and the answer as it grows."""

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from idleclaw_tui.answer import Answer
from idleclaw_tui.answer_line import answer_line
from idleclaw_tui.transcript import Exchange
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.widgets.thinking_view import ThinkingView
from idleclaw_tui.words import Toned


class QuestionView(Static):
    """What the person asked."""

    DEFAULT_CSS = "QuestionView.-selected { background: $panel; border-left: outer $secondary; }"

    def __init__(self, question: str) -> None:
        super().__init__(text(question))


class ExchangeView:
    """The widgets of one exchange, side by side in the list of messages.

    They have no container of their own, because every nested one makes each layout dearer.
    """

    def __init__(self, exchange: Exchange, messages: VerticalScroll) -> None:
        self._messages = messages
        self._question = QuestionView(exchange.question)
        self._answer: Answer = exchange.answer
        self._thinking: ThinkingView | None = None
        self._body: AnswerMarkdown | None = None
        self._line_view = Static("", classes="answer-line")
        self._line: tuple[Toned, ...] = ()
        self._finished = False

    @property
    def first(self) -> Widget:
        """The widget with which this exchange begins."""
        return self._question

    @property
    def last(self) -> Widget:
        """The widget after which the next exchange comes."""
        return self._line_view

    def mark(self, *, selected: bool) -> None:
        """Show whether the exchange is the one that actions are about."""
        self._question.set_class(selected, "-selected")

    async def mount(self, after: Widget) -> None:
        """Put question and line on the screen; the answer comes between them."""
        await self._messages.mount(self._question, self._line_view, after=after)

    async def remove(self) -> None:
        """Take everything off the screen."""
        between = [widget for widget in (self._thinking, self._body) if widget is not None]
        await self._messages.remove_children([self._question, *between, self._line_view])

    async def catch_up(self, now: float) -> None:
        """Draw what came since the last time; once the answer has ended, draw it for good."""
        if self._answer.thinking:
            await self._show_thinking(now)
        if self._answer.ended and not self._finished:
            self._finished = True
            if self._answer.text:
                await (await self._answer_view()).finish(self._answer.text)
        elif self._answer.text and not self._finished:
            (await self._answer_view()).grow(self._answer.text)
        self._show_line(now)

    async def draw_plain(self) -> None:
        """Draw all of the text without Markdown."""
        self._finished = True
        (await self._answer_view()).show_plain(self._answer.text)

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

    async def _answer_view(self) -> AnswerMarkdown:
        if self._body is None:
            self._body = AnswerMarkdown()
            await self._messages.mount(self._body, before=self._line_view)
        return self._body
