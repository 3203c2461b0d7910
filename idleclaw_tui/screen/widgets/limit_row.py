"""One field of the form for the owner's limits: label, control, hint, and what is wrong with it."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Select, Static

from idleclaw_tui.screen.widgets.safe_text import text
from idleclaw_tui.sharing.limit_entries import LimitField


class LimitRow(Vertical):
    """A field that holds `value` at first."""

    DEFAULT_CSS = """
    LimitRow {
        height: auto;
        & > Horizontal { height: 1; }
        .limit-label { width: 20; color: $text-muted; }
        Input, Select { width: 24; }
        Input { background: $panel; padding: 0 1; }
        .limit-hint { width: 1fr; padding-left: 2; text-wrap: nowrap; text-overflow: ellipsis; }
        .limit-error { height: auto; padding-left: 20; display: none; }
        &.-wide-entry Input { width: 1fr; }
        &.-wide-entry .limit-hint { display: none; }
    }
    """

    def __init__(self, field: LimitField, value: str) -> None:
        super().__init__(classes="-wide-entry" if field.key in _LONG else "")
        self.field = field
        self._first = value

    def compose(self) -> ComposeResult:
        """Lay out label, control and hint over the error."""
        field = self.field
        with Horizontal():
            yield Static(text(field.label), classes="limit-label")
            if field.options:
                options = [(words, value) for value, words in field.options]
                yield Select(options, value=self._first, allow_blank=False, compact=True)
            else:
                yield Input(self._first, field.empty, compact=True, select_on_focus=False)
            yield Static(text(field.hint, "dim"), classes="limit-hint")
        yield Static("", classes="limit-error")

    @property
    def control(self) -> "Input | Select[str]":
        """What is typed into, or chosen from."""
        return self.query_one(Select) if self.field.options else self.query_one(Input)

    @property
    def typed(self) -> str:
        """What the field holds now."""
        return str(self.control.value)

    def complain(self, error: str | None) -> None:
        """Say what is wrong with what was typed, or nothing any more."""
        line = self.query_one(".limit-error", Static)
        line.display = error is not None
        line.update(text(error or "", "bad"))


_LONG = frozenset({"schedule", "exclusive_apps"})
