"""The line on top: the name, the tabs, and the one fact about the router that always matters."""

from collections.abc import Callable
from typing import Final, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from idleclaw_tui.screen.widgets.safe_text import toned
from idleclaw_tui.words import Toned

TabName = Literal["chat", "network", "contribute"]
TABS: Final[tuple[TabName, ...]] = ("chat", "network", "contribute")
_KEYS: Final[dict[TabName, str]] = {"chat": "F2", "network": "F3", "contribute": "F4"}


class TabLabel(Horizontal):
    """One tab's key and name, to be clicked."""

    ALLOW_SELECT = False

    def __init__(self, tab: TabName) -> None:
        super().__init__(id=f"tab-{tab}")
        self.tab: TabName = tab

    def compose(self) -> ComposeResult:
        """Lay out key and name."""
        yield Static(_KEYS[self.tab], classes="tab-key")
        yield Static(self.tab.capitalize(), classes="tab-name")

    def on_click(self) -> None:
        """Ask for this tab."""
        self.post_message(TopBar.TabChosen(self.tab))


class TopBar(Horizontal):
    """Name, tabs and headline; `headline` gets the cells that are left and returns the fact."""

    active: reactive[TabName] = reactive[TabName]("chat")

    class TabChosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: TabName) -> None:
            super().__init__()
            self.tab: TabName = tab

    def __init__(self, headline: Callable[[int], tuple[Toned, ...]]) -> None:
        super().__init__(id="top-bar")
        self._headline = headline
        self._shown: tuple[Toned, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out name, tabs and fact."""
        yield Static("IdleClaw", id="brand")
        for tab in TABS:
            yield TabLabel(tab)
        yield Static("", id="headline")

    def watch_active(self, active: TabName) -> None:
        """Mark the open tab."""
        for label in self.query(TabLabel):
            label.set_class(label.tab == active, "-active")

    def on_resize(self, _: events.Resize) -> None:
        """Say as much as fits."""
        self.call_after_refresh(self.show_headline)

    def show_headline(self) -> None:
        """Show the fact as it is now."""
        widget = self.query_one("#headline", Static)
        headline = self._headline(widget.content_size.width)
        if headline != self._shown:
            self._shown = headline
            widget.update(toned(headline), layout=False)
