"""The form in which the owner changes the limits."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Select, Static

from idleclaw_tui.limit_fields import FIELDS, FormResult, form_values, read_form
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.widgets.dialog import Dialog, dialog_box
from idleclaw_tui.widgets.limit_row import LimitRow
from idleclaw_tui.widgets.safe_text import text


class LimitsEditor(Dialog[SharingSettings]):
    """Ends with other settings, or None by Escape; what is wrong keeps it open, with the words."""

    DEFAULT_CSS = """
    LimitsEditor {
        #limits-form { width: 96; max-width: 100%; max-height: 100%; }
        #limits-rows { height: auto; max-height: 70vh; scrollbar-size-vertical: 1; }
        .limits-heading { color: $text-muted; text-style: bold; margin: 1 0 0 0; height: 1; }
        #limits-buttons { height: 1; margin-top: 1; }
        Button { margin-right: 2; width: auto; min-width: 10; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="limits.back", tooltip="Change nothing"),
        Binding("ctrl+s", "save", "save", id="limits.save", tooltip="Keep these limits"),
    ]
    HELP = (
        "What you give at most, and when your own use of the machine stops it. **Tab** moves, "
        "**Enter** or **Ctrl+S** saves, **Escape** changes nothing. It holds at once; running "
        "requests end under the old limits."
    )

    def __init__(self, settings: SharingSettings) -> None:
        super().__init__()
        self._settings = settings

    def compose(self) -> ComposeResult:
        """Lay out the fields, those of the guards last, over the ways out."""
        values = form_values(self._settings)
        with dialog_box("Limits", "enter saves · esc changes nothing", id="limits-form"):
            with VerticalScroll(id="limits-rows", can_focus=False):
                for field in (field for field in FIELDS if not field.guards):
                    yield LimitRow(field, values[field.key])
                yield Static(text("When I need the machine myself"), classes="limits-heading")
                for field in (field for field in FIELDS if field.guards):
                    yield LimitRow(field, values[field.key])
            with Horizontal(id="limits-buttons"):
                yield Button("Save", id="limits-save", compact=True, variant="primary")
                yield Button("Back", id="limits-cancel", compact=True)

    def on_mount(self) -> None:
        """Begin in the first field."""
        self.query(LimitRow).first().control.focus()

    @on(Input.Changed)
    @on(Select.Changed)
    def _check(self) -> None:
        self._read()

    @on(Input.Submitted)
    @on(Button.Pressed, "#limits-save")
    def action_save(self) -> None:
        """End with what was typed, unless something is wrong with it."""
        reading = self._read()
        if reading.settings is not None:
            self.dismiss(reading.settings)
            return
        rows = (row for row in self.query(LimitRow) if row.field.key in reading.errors)
        next(rows).control.focus()

    @on(Button.Pressed, "#limits-cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    def _read(self) -> FormResult:
        rows = list(self.query(LimitRow))
        reading = read_form(self._settings, {row.field.key: row.typed for row in rows})
        for row in rows:
            row.complain(reading.errors.get(row.field.key))
        return reading
