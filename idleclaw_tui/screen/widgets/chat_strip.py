"""The line of open chats over the conversation, there as soon as there are two."""

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.widgets import Static

from idleclaw_tui.chat.chats import Chat
from idleclaw_tui.chat.titles import Label, labels, line
from idleclaw_tui.screen.widgets.safe_text import toned
from idleclaw_tui.words import Toned


class ChatStrip(Static):
    """Titles to be clicked, each with a mark while an answer comes in or waits to be read."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ChatStrip { height: 1; padding: 0 3; text-wrap: nowrap; pointer: pointer; }"

    class Chosen(Message):
        """The person wants to see `chat`."""

        def __init__(self, chat: Chat) -> None:
            super().__init__()
            self.chat = chat

    def __init__(self) -> None:
        super().__init__("")
        self._chats: tuple[Chat, ...] = ()
        self._current: Chat | None = None
        self._labels: list[Label] = []
        self._line: tuple[Toned, ...] = ()

    def show(self, chats: Sequence[Chat], current: Chat) -> None:
        """Show the open chats, of which `current` is the one below."""
        self._chats, self._current = tuple(chats), current
        self.display = len(self._chats) > 1
        self._draw()

    def on_resize(self) -> None:
        """Show as much of each title as fits now."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Ask for the chat whose title was clicked."""
        offset = event.get_content_offset(self)
        for label in self._labels if offset is not None else ():
            if offset is not None and label.start <= offset.x < label.end:
                self.post_message(self.Chosen(label.chat))

    def _draw(self) -> None:
        if self._current is None:
            return
        self._labels = labels(self._chats, self._current, self.content_size.width)
        drawn = line(self._labels)
        if drawn != self._line:
            self._line = drawn
            self.update(toned(drawn))
