"""What an empty chat shows: what the network offers now, and three questions worth trying."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from idleclaw_tui.screen.widgets.safe_text import text, toned
from idleclaw_tui.words import Toned

QUESTIONS: Final = (
    "Explain how a Bloom filter works, with a tiny example",
    "Plan five quick dinners for two from one shopping list",
    "Write a Python function that merges overlapping intervals",
)


class Suggestion(Static, can_focus=True):
    """A question worth trying; choosing it puts it into the prompt."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Put it into the prompt", id="suggestion.choose")
    ]
    HELP = "A question to begin with. **Enter** puts it into the prompt, where you can change it."

    class Chosen(Message):
        """The person took a suggestion."""

        def __init__(self, question: str) -> None:
            super().__init__()
            self.question = question

    def __init__(self, question: str) -> None:
        super().__init__(toned((Toned("> ", "accent"), Toned(question))))
        self._question = question

    def action_choose(self) -> None:
        """Take the suggestion."""
        self.post_message(self.Chosen(self._question))

    def on_click(self) -> None:
        """Take the suggestion."""
        self.action_choose()


class Greeting(Vertical):
    """The empty chat."""

    def compose(self) -> ComposeResult:
        """Lay out name, offer and suggestions."""
        with Vertical(id="greeting-box"):
            yield Static(text("Ask the idle machines of the world", "strong"), id="greeting-title")
            yield Static("", id="greeting-offer")
            for question in QUESTIONS:
                yield Suggestion(question)

    def offer(self, parts: tuple[Toned, ...]) -> None:
        """Say what the network offers now."""
        self.query_one("#greeting-offer", Static).update(toned(parts))
