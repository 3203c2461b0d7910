"""The choice among the models that are online now: type to filter, Enter takes."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from idleclaw_tui import words
from idleclaw_tui.network_view import ModelRow, in_order
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.words import Toned

_MAX_NAME = 40


def matching(models: Sequence[ModelRow], typed: str) -> list[ModelRow]:
    """Return the models whose name, size or capabilities hold every typed word, by name."""
    wanted = typed.lower().split()
    return [
        row for row in in_order(models, "name") if all(word in _searched(row) for word in wanted)
    ]


def _searched(row: ModelRow) -> str:
    return " ".join((row.name, row.description, *row.capabilities)).lower()


def option_lines(rows: Sequence[ModelRow], current: str | None) -> list[Content]:
    """Return a line per model, in columns: name, kind, speed, who has it."""
    names = [row.name if len(row.name) <= _MAX_NAME else _cut(row.name) for row in rows]
    speeds = [words.rate(row.tokens_per_second) if row.tokens_per_second else "" for row in rows]
    name_width, kind_width, speed_width = (
        max(map(len, column), default=0)
        for column in (names, [row.description for row in rows], speeds)
    )
    return [
        toned(
            (
                Toned(f"{words.ACTIVE if row.name == current else ' '} ", "accent"),
                Toned(name.ljust(name_width)),
                Toned(f"  {row.description.ljust(kind_width)}", "dim"),
                Toned(f"  {speed.rjust(speed_width)}", "dim"),
                Toned(f"  {row.availability}", "warn" if row.slots_free == 0 else "dim"),
            )
        )
        for row, name, speed in zip(rows, names, speeds, strict=True)
    ]


def _cut(name: str) -> str:
    return f"{name[: _MAX_NAME - 1]}…"


class ModelPicker(ModalScreen[str | None]):
    """Lists the models online; ends with the name of the one taken, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="picker.back"),
        Binding("down", "move(1)", "next", id="picker.next", show=False),
        Binding("up", "move(-1)", "previous", id="picker.previous", show=False),
    ]

    def __init__(self, models: Sequence[ModelRow], current: str | None) -> None:
        super().__init__()
        self._models = models
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out the filter over the list."""
        with Vertical(id="picker-box") as box:
            box.border_title = text("Models online")
            box.border_subtitle = text("enter takes · esc back", "dim")
            yield Input(placeholder="Type to filter", id="picker-filter", compact=True)
            yield OptionList(id="picker-list", compact=True)
            yield Static("", id="picker-empty")

    def on_mount(self) -> None:
        """Begin with all models."""
        self._fill("")

    def offer(self, models: Sequence[ModelRow]) -> None:
        """Take in what is online now."""
        if models != self._models:
            self._models = models
            self._fill(self.query_one(Input).value)

    def action_move(self, step: int) -> None:
        """Move in the list while the filter keeps the focus."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    @on(Input.Submitted)
    def _take(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        rows = matching(self._models, self.query_one(Input).value)
        if event.option_index < len(rows):
            self.dismiss(rows[event.option_index].name)

    def _fill(self, typed: str) -> None:
        options = self.query_one(OptionList)
        rows = matching(self._models, typed)
        at = options.highlighted
        options.set_options(Option(line) for line in option_lines(rows, self._current))
        names = [row.name for row in rows]
        if rows:
            options.highlighted = min(at or 0, len(rows) - 1)
            if at is None and self._current in names:
                options.highlighted = names.index(self._current)
        empty = self.query_one("#picker-empty", Static)
        empty.display = not rows
        nothing = "No model is online now." if not self._models else "No model matches."
        empty.update(text(nothing, "dim"))
