"""The models of this machine, each with a box to tick."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from idleclaw_tui.screen.widgets.safe_text import toned
from idleclaw_tui.sharing.choices import Choosable, choice_lines


class ModelTicks(OptionList):
    """Shows `Choosable`s; space, Enter or a click asks for the other choice of one.

    With `fixed`, the choice is made elsewhere, and nothing can be ticked.
    """

    DEFAULT_CSS = """
    ModelTicks {
        height: auto;
        max-height: 100%;
        background: $background;
        border: none;
        padding: 0;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: transparent; }
        & > .option-list--option-highlighted { color: $foreground; background: $background; }
        &:focus > .option-list--option-highlighted { background: $panel; text-style: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "share it or not", id="models.tick", tooltip="Share it, or not"),
        Binding("w", "ready", "keep ready", id="models.ready", tooltip="Load it before sharing"),
    ]
    HELP = (
        "The models that Ollama has here. **Space** shares the one under the cursor or no longer "
        "does; running requests end first. **W** keeps it ready: it is loaded before sharing."
    )

    class Ticked(Message):
        """The person wants the other choice for a model."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Readied(Message):
        """The person wants a model kept ready, or no longer."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, fixed: bool, id: str) -> None:
        super().__init__(id=id, compact=True)
        self._fixed = fixed
        self._rows: list[Choosable] = []

    def show(self, rows: Sequence[Choosable]) -> None:
        """Show exactly these, the cursor staying with its model."""
        if list(rows) == self._rows:
            return
        name = self._under_cursor
        self._rows = list(rows)
        lines = choice_lines(self._rows, boxes=not self._fixed)
        self.set_options(Option(toned(line)) for line in lines)
        names = [row.name for row in self._rows]
        self.highlighted = names.index(name) if name in names else (0 if names else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing where nothing can be chosen."""
        return not (self._fixed and action in ("select", "ready"))

    def action_ready(self) -> None:
        """Ask for the model under the cursor to be kept ready, or no longer."""
        if (name := self._under_cursor) is not None:
            self.post_message(self.Readied(name))

    @property
    def _under_cursor(self) -> str | None:
        at = self.highlighted
        return self._rows[at].name if at is not None and at < len(self._rows) else None

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if not self._fixed and event.option_index < len(self._rows):
            self.post_message(self.Ticked(self._rows[event.option_index].name))
