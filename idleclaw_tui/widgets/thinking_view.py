"""What the model thought before it answered."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from idleclaw_tui.answer import Answer
from idleclaw_tui.answer_line import thinking_line
from idleclaw_tui.widgets.safe_text import text


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
