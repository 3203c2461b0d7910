"""Where the person writes: Enter sends, Ctrl+J breaks the line, pasting never sends."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static, TextArea

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_protocol.text_safety import clean
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.words import Tone, Toned

PRIVACY = "Contributors can read what you send"
PRIVACY_SHORT = "Contributors can read it"
COUNT_FROM = MAX_MESSAGE_CHARS * 4 // 5
PASTE_ROOM = MAX_MESSAGE_CHARS

_TAKEN = frozenset({"redo", "cursor_page_up", "cursor_page_down"})
_NEWLINE_KEYS = frozenset({"shift+enter", "shift+\r", "alt+enter"})


class PromptArea(TextArea, inherit_bindings=False):
    """The text field. A paste is inserted up to the longest message that can be sent.

    The keys that would redo an edit and move by a page do something else in the chat.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            key
            for key in TextArea.BINDINGS
            if isinstance(key, Binding) and key.action not in _TAKEN
        ),
        Binding("enter", "submit", "send", id="prompt.send", show=False),
        Binding("ctrl+j", "newline", "new line", id="prompt.newline", show=False),
    ]
    HELP = (
        "Write here. **Enter** sends, **Ctrl+J** (or Shift+Enter, where the terminal tells it) "
        "breaks the line. Pasted text is never sent by itself."
    )

    class Submitted(Message):
        """The person wants to send the text."""

        def __init__(self, question: str) -> None:
            super().__init__()
            self.question = question

    class PasteCut(Message):
        """A paste was too long for a message: `kept` of its `length` characters went in."""

        def __init__(self, kept: int, length: int) -> None:
            super().__init__()
            self.kept = kept
            self.length = length

    def __init__(self) -> None:
        super().__init__(
            compact=True,
            highlight_cursor_line=False,
            placeholder=text("Ask the network"),
            id="prompt",
        )

    def action_submit(self) -> None:
        """Offer the text to be sent; it stays here until somebody takes it."""
        self.post_message(self.Submitted(self.text))

    def action_newline(self) -> None:
        """Break the line."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        """Send and break the line here, in the order of the keys typed before and after."""
        action = None if event.is_printable else self._action_for(event.key)
        if action is None:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        action()

    def _action_for(self, key: str) -> Callable[[], None] | None:
        if key in _NEWLINE_KEYS:
            return self.action_newline
        active = self.screen.active_bindings.get(key)
        if active is None or active.node is not self:
            return None
        actions = {"prompt.send": self.action_submit, "prompt.newline": self.action_newline}
        return actions.get(active.binding.id or "")

    async def _on_paste(self, event: events.Paste) -> None:
        pasted = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        room = max(0, PASTE_ROOM - len(self.text) + len(self.selected_text))
        event.text = pasted[:room]
        await super()._on_paste(event)
        event.stop()
        event.prevent_default()
        if len(pasted) > room:
            self.post_message(self.PasteCut(room, len(pasted)))


class PromptBox(Vertical):
    """The frame of the prompt: on top what model answers, below who can read along."""

    class TopClicked(Message):
        """The model line was clicked."""

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        yield PromptArea()

    def on_resize(self) -> None:
        """Say who can read along in the words that fit."""
        self.show_count(len(self.query_one(PromptArea).text))

    def show_model(self, parts: tuple[Toned, ...]) -> None:
        """Show which model will answer."""
        self.border_title = toned(parts)

    def show_count(self, length: int) -> None:
        """Show who can read along or, near the limit, how long the text is."""
        if length < COUNT_FROM:
            fits = self.size.width >= len(PRIVACY) + 6
            self.border_subtitle = text(PRIVACY if fits else PRIVACY_SHORT, "dim")
        else:
            tone: Tone = "bad" if length > MAX_MESSAGE_CHARS else "warn"
            self.border_subtitle = text(f"{length:,} of {MAX_MESSAGE_CHARS:,} characters", tone)

    def on_click(self, event: events.Click) -> None:
        """Open the model choice where its line was clicked."""
        if event.widget is self and event.y == 0:
            self.post_message(self.TopClicked())


class Notice(Static):
    """One line over the prompt about what the person wants to send; it stays until answered."""

    def say(self, *parts: Toned) -> None:
        """Show the parts, or nothing where there are none."""
        self.display = bool(parts)
        self.update(toned(parts))
