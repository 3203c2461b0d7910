"""A list to pick from: type to narrow it, Enter takes, Escape leaves."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from idleclaw_tui.widgets.dialog import Dialog, dialog_box
from idleclaw_tui.widgets.safe_text import text

Picked = TypeVar("Picked")


class PickList(Dialog[Picked], Generic[Picked]):
    """Lists what `narrowed` returns for the typed text; ends with the one taken, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="picker.back"),
        Binding("down", "move(1)", "next", id="picker.next", show=False),
        Binding("up", "move(-1)", "previous", id="picker.previous", show=False),
    ]
    DEFAULT_CSS = """
    #picker-box { width: 84; max-height: 80%; }
    #picker-filter { margin-bottom: 1; background: $panel; padding: 0 1; }
    #picker-list {
        height: auto;
        max-height: 100%;
        background: $surface;
        border: none;
        padding: 0;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    PickList.-short #picker-box,
    PickList.-tiny #picker-box { max-height: 100%; }
    PickList.-short #picker-filter,
    PickList.-tiny #picker-filter { margin-bottom: 0; }
    PickList.-tiny #picker-box { border: none; }
    """

    def __init__(self, title: str, placeholder: str) -> None:
        super().__init__()
        self._title = title
        self._placeholder = placeholder
        self._values: Sequence[Picked] = ()

    def narrowed(self, typed: str, width: int) -> Sequence[tuple[Picked, Content]]:
        """Return what is to be listed, each with its line of at most `width` columns."""
        raise NotImplementedError

    def empty(self, typed: str) -> str:
        """Return what is said where nothing is to be listed."""
        raise NotImplementedError

    def preferred(self, values: Sequence[Picked]) -> int:
        """Return the index of the one to begin with."""
        return 0

    def compose(self) -> ComposeResult:
        """Lay out the filter over the list."""
        with dialog_box(self._title, "enter takes · esc back", id="picker-box"):
            yield Input(placeholder=self._placeholder, id="picker-filter", compact=True)
            yield OptionList(id="picker-list", compact=True)
            yield Static("", id="picker-empty")

    def on_resize(self, event: events.Resize) -> None:
        """Use the width there is, beginning with the first."""
        self.fill()

    def action_move(self, step: int) -> None:
        """Move in the list while the filter keeps the focus."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def fill(self) -> None:
        """List anew, keeping the place."""
        typed = self.query_one(Input).value
        options = self.query_one(OptionList)
        at = options.highlighted
        listed = self.narrowed(typed, max(20, self.query_one("#picker-box").content_size.width - 1))
        self._values = [value for value, _ in listed]
        options.set_options(Option(line) for _, line in listed)
        if listed:
            start = self.preferred(self._values) if at is None else at
            options.highlighted = min(start, len(listed) - 1)
        nothing = self.query_one("#picker-empty", Static)
        nothing.display = not listed
        nothing.update(text(self.empty(typed), "dim"))

    @on(Input.Changed)
    def _narrow(self) -> None:
        self.query_one(OptionList).highlighted = None
        self.fill()

    @on(Input.Submitted)
    def _take(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._values):
            self.dismiss(self._values[event.option_index])
