"""The top of the Contribute tab: the switch, and in words what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Sparkline, Static

from idleclaw_tui.sharing_desk import SwitchState
from idleclaw_tui.sharing_rows import Line, packed
from idleclaw_tui.widgets.safe_text import text, toned, toned_lines, update_if_new
from idleclaw_tui.widgets.share_switch import ShareSwitch


@dataclass(frozen=True, slots=True)
class HeaderState:
    """What the header says: `trouble` in a warning's colour, `lines`, `pieces` packed, totals."""

    switch: SwitchState
    sentence: Line
    trouble: str = ""
    lines: Sequence[Line] = ()
    pieces: Sequence[Line] = ()
    totals: str = ""
    speeds: Sequence[float] = ()


class ShareHeader(Horizontal):
    """Shows a `HeaderState`; only what changed is drawn anew."""

    DEFAULT_CSS = """
    ShareHeader {
        height: auto;
        & > Vertical { height: auto; padding: 0 0 0 2; }
        #share-sentence, #share-trouble, #share-lines { height: auto; }
        #share-totals { height: 1; }
        #share-totals-line {
            width: auto;
            max-width: 1fr;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        #share-history { width: 16; height: 1; margin-left: 2; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="share-top")
        self._shown: HeaderState | None = None

    def compose(self) -> ComposeResult:
        """Lay out the switch beside the words."""
        yield ShareSwitch()
        with Vertical(id="share-said"):
            yield Static("", id="share-sentence")
            yield Static("", id="share-trouble")
            yield Static("", id="share-lines")
            with Horizontal(id="share-totals"):
                yield Static("", id="share-totals-line")
                yield Sparkline(id="share-history", summary_function=max)

    def show(self, state: HeaderState) -> None:
        """Show the state."""
        if state == self._shown:
            return
        self._shown = state
        self.query_one(ShareSwitch).state = state.switch
        self._say("#share-sentence", toned(state.sentence))
        self._say("#share-trouble", text(state.trouble, "warn"))
        self._show_lines()
        self._say("#share-totals-line", text(state.totals, "dim"))
        self.query_one("#share-totals").display = bool(state.totals)
        history = self.query_one("#share-history", Sparkline)
        history.display = any(state.speeds)
        history.data = list(state.speeds)

    def on_resize(self) -> None:
        """Pack the pieces anew."""
        self._show_lines()

    def _show_lines(self) -> None:
        state = self._shown
        if state is not None:
            width = self.query_one("#share-said").content_size.width
            lines = [*state.lines, *packed(state.pieces, width)]
            self._say("#share-lines", toned_lines(lines))

    def _say(self, selector: str, content: Content) -> None:
        widget = self.query_one(selector, Static)
        widget.display = bool(content.plain)
        update_if_new(widget, content)
