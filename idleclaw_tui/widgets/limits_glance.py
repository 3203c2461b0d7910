"""The owner's limits at a glance, and the way to change them."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from idleclaw_tui.widgets.safe_text import toned_lines, update_if_new
from idleclaw_tui.words import Toned


class LimitsGlance(Static, can_focus=True):
    """Shows the limits; Enter or a click opens them."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LimitsGlance {
        height: auto;
        pointer: pointer;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &:focus { background: $panel; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "change", id="limits.open", tooltip="Change the limits")
    ]
    HELP = "What you give at most, and when. **Enter** or **L** changes it."

    class Opened(Message):
        """The person wants to change the limits."""

    def show(self, lines: Sequence[tuple[Toned, ...]]) -> None:
        """Show a line a limit."""
        update_if_new(self, toned_lines(lines))

    def action_open(self) -> None:
        """Ask for the form."""
        self.post_message(self.Opened())

    def on_click(self) -> None:
        """Ask for the form."""
        self.action_open()
