"""The pane that says all about the row under the cursor."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from idleclaw_tui.network_detail import Line, past_shown
from idleclaw_tui.widgets.safe_text import text, toned, toned_lines


class DetailBox(VerticalScroll, can_focus=False):
    """Lines in a frame that is drawn again only where its words change."""

    def __init__(self) -> None:
        super().__init__(id="detail-box", classes="framed")
        self._static = Static("", id="detail")
        self._around = ("", "")
        self._lines: list[Line] = []

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        yield self._static

    @property
    def width(self) -> int:
        """The cells of a line."""
        return self._static.content_size.width

    def show(self, title: str, lines: Sequence[Line]) -> None:
        """Show lines about what `title` names; a third part of one is its past."""
        past = past_shown(self.width) if any(len(line) > 2 for line in lines) else ""
        if (title, past) != self._around:
            self._around = title, past
            self.border_title = text(title)
            self.border_subtitle = text(past, "dim")
        if lines != self._lines:
            shape = [toned(line).cell_length for line in lines]
            same_shape = shape == [toned(line).cell_length for line in self._lines]
            self._lines = list(lines)
            self._static.update(toned_lines(lines), layout=not same_shape)
