"""A line for the words that rows must hold, there only while it is wanted."""

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from idleclaw_tui.screen.widgets.safe_text import text

MAX_WORDS_CHARS: Final = 64


class FilterBar(Horizontal):
    """Is open while it has the focus or holds words; Enter leaves it, Escape empties it."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        display: none;
        padding: 0 2;
        & > .mark { width: 2; color: $accent; }
        & > Input {
            width: 1fr;
            height: 1;
            padding: 0;
            border: none;
            background: $background;
            &:focus { border: none; background-tint: transparent; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "clear", id="filter.clear"),
        Binding("down", "leave", "to the rows", id="filter.leave"),
    ]

    class Changed(Message):
        """Rows must hold other words now."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Left(Message):
        """The person goes back to the rows."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._input = Input(
            placeholder="words of a name, size, state", max_length=MAX_WORDS_CHARS, compact=True
        )

    def compose(self) -> ComposeResult:
        """Lay out the mark and the words."""
        yield Static(text("/"), classes="mark")
        yield self._input

    def open(self) -> None:
        """Take the focus."""
        self.display = True
        self._input.focus()

    def clear(self) -> None:
        """Let all rows be shown."""
        self._input.value = ""
        self.action_leave()

    def action_clear(self) -> None:
        """Let all rows be shown."""
        self.clear()

    def action_leave(self) -> None:
        """Go back to the rows."""
        self.display = bool(self._input.value.strip())
        self.post_message(self.Left())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))
