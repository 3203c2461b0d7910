"""Lines that are only read, in a box that scrolls: the last events, the guards."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from idleclaw_tui.widgets.safe_text import toned_lines, update_if_new
from idleclaw_tui.words import Toned


class LineList(VerticalScroll):
    """Shows all the lines it is given; the arrow keys scroll."""

    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > Static { height: auto; }
    }
    """

    def compose(self) -> ComposeResult:
        """Lay out one text."""
        yield Static("")

    def show(self, lines: Sequence[tuple[Toned, ...]]) -> None:
        """Show the lines."""
        update_if_new(self.query_one(Static), toned_lines(lines))


class NewsLines(LineList):
    """The last events."""

    HELP = (
        "What happened last, newest first: the connection, pauses and their reasons, ended "
        "requests."
    )


class GuardLines(LineList):
    """The guards and their thresholds."""

    HELP = (
        "What stops sharing for your own sake: what each guard reads now, and its thresholds. A "
        "guard whose signal this machine does not tell has a question mark, and stops nothing."
    )
