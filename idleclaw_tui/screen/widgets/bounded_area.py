"""A text field into which no paste can put more than is any use there."""

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from idleclaw_protocol.text_safety import clean


class BoundedArea(TextArea):
    """Inserts of a paste what fits into `room` characters, without control characters.

    Long lines make every later key slow, and a paste can be of any size.
    """

    class PasteCut(Message):
        """A paste was too long: `kept` of its `length` characters went in."""

        def __init__(self, kept: int, length: int) -> None:
            super().__init__()
            self.kept = kept
            self.length = length

    def __init__(
        self,
        room: int,
        text: str = "",
        *,
        highlight_cursor_line: bool = True,
        placeholder: str | Content = "",
        id: str | None = None,
    ) -> None:
        super().__init__(
            text,
            compact=True,
            highlight_cursor_line=highlight_cursor_line,
            placeholder=placeholder,
            id=id,
        )
        self._room = room

    def on_mount(self) -> None:
        """Blink only where things may move."""
        self.cursor_blink = self.app.animation_level != "none"

    async def _on_paste(self, event: events.Paste) -> None:
        # Cleaning is slow next to cutting, and drops a part of what it is given at most.
        given = event.text[: self._room * 20]
        pasted = clean(given.replace("\r\n", "\n").replace("\r", "\n"))
        length = max(len(pasted), len(event.text) if len(given) < len(event.text) else 0)
        room = max(0, self._room - len(self.text) + len(self.selected_text))
        event.text = pasted[:room]
        await super()._on_paste(event)
        event.stop()
        event.prevent_default()
        if length > room:
            self.post_message(self.PasteCut(min(room, len(pasted)), length))
