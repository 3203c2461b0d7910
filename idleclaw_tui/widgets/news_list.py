"""The last events of the own node, newest first."""

from collections.abc import Callable, Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from idleclaw_tui.sharing_view import Told
from idleclaw_tui.widgets.safe_text import toned
from idleclaw_tui.words import Toned


class NewsList(VerticalScroll):
    """Shows all the news it is given; the arrow keys scroll."""

    DEFAULT_CSS = """
    NewsList {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > Static { height: auto; }
    }
    """
    HELP = "What happened last: the connection, pauses and their reasons, ended requests."

    def compose(self) -> ComposeResult:
        """Lay out one text."""
        yield Static("")

    def show(self, news: Iterable[Told], clock_time: Callable[[float], str]) -> None:
        """Show the news, given oldest first."""
        lines = [
            toned((Toned(f"{clock_time(told.at)}  ", "dim"), Toned(told.text)))
            for told in reversed(list(news))
        ]
        content = Content("\n").join(lines or [toned((Toned("Nothing happened yet.", "dim"),))])
        widget = self.query_one(Static)
        if widget.content != content:
            widget.update(content)
