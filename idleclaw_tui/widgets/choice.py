"""A question that must be answered before something is done that cannot be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from idleclaw_tui.widgets.dialog import Dialog, dialog_box
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.words import Toned


@dataclass(frozen=True, slots=True)
class Way:
    """One possible answer: the key that gives it, and what it does."""

    key: str
    label: str


class WayLine(Static):
    """An answer, to be clicked."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "WayLine { height: 1; pointer: pointer; &:hover { background: $panel; } }"

    class Taken(Message):
        """The answer was clicked."""

        def __init__(self, way: Way) -> None:
            super().__init__()
            self.way = way

    def __init__(self, way: Way) -> None:
        super().__init__(toned((Toned(f"{way.key:>6}  ", "accent"), Toned(way.label))))
        self._way = way

    def on_click(self) -> None:
        """Give this answer."""
        self.post_message(self.Taken(self._way))


class Choice(Dialog[str]):
    """Shows `title`, `detail` and the ways; ends with the key of the one taken, None by Escape."""

    DEFAULT_CSS = """
    #choice-box { width: 64; max-height: 80%; }
    #choice-detail { height: auto; margin-bottom: 1; }
    Choice.-short #choice-box, Choice.-tiny #choice-box { max-height: 100%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", id="choice.cancel")
    ]

    def __init__(self, title: str, detail: str, ways: Sequence[Way]) -> None:
        super().__init__()
        self._title = title
        self._detail = detail
        self._ways = tuple(ways)

    def compose(self) -> ComposeResult:
        """Lay out the question over its answers."""
        with dialog_box(self._title, id="choice-box"):
            yield Static(text(self._detail), id="choice-detail")
            for way in (*self._ways, Way("escape", "Cancel")):
                yield WayLine(way)

    def on_key(self, event: events.Key) -> None:
        """Give the answer whose key was pressed."""
        if event.key in [way.key for way in self._ways]:
            event.stop()
            self.dismiss(event.key)

    def on_way_line_taken(self, message: WayLine.Taken) -> None:
        """Give the answer that was clicked."""
        self.dismiss(None if message.way.key == "escape" else message.way.key)
