"""What all dialogs have in common: one box in the middle of a screen that is dimmed."""

from typing import Generic, TypeVar

from textual.containers import Vertical
from textual.screen import ModalScreen

from idleclaw_tui.widgets.safe_text import text

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], Generic[Result]):
    """Ends with a result, or None where it was left. Its one child is made by `dialog_box`."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > .dialog-box {
            max-width: 96%;
            height: auto;
            border: round $border;
            border-title-color: $foreground;
            border-title-style: bold;
            background: $surface;
            padding: 1 2;
        }
        &.-short > .dialog-box, &.-tiny > .dialog-box { padding: 0 1; max-width: 100%; }
    }
    """


def dialog_box(title: str, hint: str = "", *, id: str) -> Vertical:
    """Return the box; `hint` says on its lower edge which keys there are."""
    box = Vertical(id=id, classes="dialog-box")
    box.border_title = text(title)
    box.border_subtitle = text(hint, "dim")
    return box
