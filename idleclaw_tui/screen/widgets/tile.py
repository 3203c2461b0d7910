"""One number in a frame of its own, with its past beside it."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from idleclaw_tui.network.sparks import spark, worth_drawing
from idleclaw_tui.screen.widgets.safe_text import text, toned
from idleclaw_tui.words import Toned

_LEAST_SPARK = 4


class Tile(Widget):
    """Shows a value and, where there is room, the line of its samples; `name` is its title."""

    DEFAULT_CSS = """
    Tile {
        width: 1fr;
        height: 3;
        border: round $border-blurred;
        border-title-color: $text-muted;
        padding: 0 1;
    }
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=f"tile-{name.replace('/', '-')}")
        self.border_title = text(name)
        self._value = ""
        self._samples: Sequence[float | None] = ()

    def show(self, value: str, samples: Sequence[float | None]) -> None:
        """Show a value, and samples of it, oldest first."""
        if (value, samples) != (self._value, self._samples):
            self._value, self._samples = value, samples
            self.refresh()

    def render(self) -> RenderResult:
        """Return the value at the left and the line at the right."""
        value = toned([Toned(self._value, "strong")])
        room = self.content_size.width - cell_len(self._value) - 1
        if room < _LEAST_SPARK or not worth_drawing(self._samples):
            return value
        line = spark(self._samples, room)
        return Content.assemble(value, " ", toned([Toned(line, "second")]))
