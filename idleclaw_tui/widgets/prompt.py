"""Where the person writes: Enter sends, Ctrl+J breaks the line, pasting never sends."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_tui.prompt_history import PromptHistory
from idleclaw_tui.widgets.bounded_area import BoundedArea
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.words import Tone, Toned

READERS: Final = "Contributors can read what you send"
READERS_SHORT: Final = "Contributors can read it"
NO_READERS: Final = "No contributor reads along"
COUNT_FROM: Final = MAX_MESSAGE_CHARS * 4 // 5

_TAKEN: Final = frozenset({"ctrl+y", "super+y", "pageup", "pagedown", "ctrl+e", "f6"})
"""Keys of a text field that do something else in the chat."""

_NEWLINE_KEYS: Final = frozenset({"shift+enter", "shift+\r", "alt+enter"})


def _kept_bindings() -> list[BindingType]:
    kept: list[BindingType] = []
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key not in _TAKEN]
            if keys:
                kept.append(replace(binding, key=",".join(keys)))
    return kept


class PromptArea(BoundedArea, inherit_bindings=False):
    """The text field, with what was sent before above its first line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "send", id="prompt.send", show=False),
        Binding("ctrl+j", "newline", "new line", id="prompt.newline", show=False),
        *_kept_bindings(),
    ]
    HELP = (
        "Write here. **Enter** sends, **Ctrl+J** (or Shift+Enter, where the terminal tells it) "
        "breaks the line. Pasted text is never sent by itself. **Up** on the first line brings "
        "back what you sent before, **Down** on the last line your draft."
    )

    class Submitted(Message):
        """The person wants to send the text."""

        def __init__(self, question: str) -> None:
            super().__init__()
            self.question = question

    def __init__(self, history: PromptHistory) -> None:
        super().__init__(
            MAX_MESSAGE_CHARS,
            highlight_cursor_line=False,
            placeholder=text("Ask the network"),
            id="prompt",
        )
        self._history = history

    def put(self, words: str) -> None:
        """Let `words` stand here in place of what does, with the cursor behind them."""
        self.text = words
        self.move_cursor(self.document.end)

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up, on the first line to what was sent before."""
        first = self.navigator.is_first_wrapped_line(self.cursor_location)
        older = self._history.older(self.text) if first and not select else None
        if older is None:
            super().action_cursor_up(select)
        else:
            self.put(older)

    def action_cursor_down(self, select: bool = False) -> None:
        """Move down, on the last line to what was sent after, and at last to the draft."""
        last = self.navigator.is_last_wrapped_line(self.cursor_location)
        newer = self._history.newer() if last and not select else None
        if newer is None:
            super().action_cursor_down(select)
        else:
            self.put(newer)

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


class PromptBox(Vertical):
    """The frame of the prompt: on top what model answers, below who can read along."""

    class TopClicked(Message):
        """The model line was clicked."""

    def __init__(self, history: PromptHistory, *, private: bool) -> None:
        super().__init__(id="prompt-box")
        self._history = history
        self._readers = (NO_READERS,) if private else (READERS, READERS_SHORT)

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        yield PromptArea(self._history)

    def on_resize(self) -> None:
        """Say who can read along in the words that fit."""
        self.show_count(len(self.query_one(PromptArea).text))

    def show_model(self, parts: tuple[Toned, ...]) -> None:
        """Show which model will answer."""
        self.border_title = toned(parts)

    def show_count(self, length: int) -> None:
        """Show who can read along or, near the limit, how long the text is."""
        if length < COUNT_FROM:
            room = self.size.width - 6
            said = next((words for words in self._readers if len(words) <= room), self._readers[-1])
            self.border_subtitle = text(said, "dim")
        else:
            tone: Tone = "bad" if length > MAX_MESSAGE_CHARS else "warn"
            self.border_subtitle = text(f"{length:,} of {MAX_MESSAGE_CHARS:,} characters", tone)

    def on_click(self, event: events.Click) -> None:
        """Open the model choice where its line was clicked."""
        if event.widget is self and event.y == 0:
            self.post_message(self.TopClicked())
