"""The question for a file's name, which stays until the file was written, read or given up."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.widgets.dialog import Dialog, dialog_box
from idleclaw_tui.widgets.safe_text import text

Attempt = Callable[[str, bool], Awaitable[None]]
"""Does what is to be done with the name; the flag says that Enter was pressed a second time.

Raises IdleClawError where it fails.
"""


class FileDialog(Dialog[str]):
    """Ends with the name that `attempt` took, or None. What goes wrong is said below the name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="file.back")
    ]
    HELP = "A file's name, here or anywhere: **~** is your own folder. **Enter** takes it."
    DEFAULT_CSS = """
    #file-box { width: 76; }
    #file-detail { margin-bottom: 1; color: $text-muted; }
    #file-name { background: $panel; padding: 0 1; }
    #file-problem { margin-top: 1; color: $error; }
    FileDialog.-short #file-detail { margin-bottom: 0; }
    FileDialog.-short #file-problem { margin-top: 0; }
    FileDialog.-tiny #file-detail { display: none; }
    """

    def __init__(self, title: str, detail: str, name: str, attempt: Attempt) -> None:
        super().__init__()
        self._title = title
        self._detail = detail
        self._name_at_first = name
        self._attempt = attempt
        self._tried: str | None = None

    def compose(self) -> ComposeResult:
        """Lay out the name between what it is for and what is wrong with it."""
        with dialog_box(self._title, "enter takes · esc back", id="file-box"):
            yield Static(text(self._detail), id="file-detail")
            yield Input(self._name_at_first, id="file-name", compact=True, select_on_focus=False)
            yield Static("", id="file-problem")

    def on_mount(self) -> None:
        """Begin without a problem."""
        self._say("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if event.value != self._tried:
            self._tried = None
            self._say("")

    @on(Input.Submitted)
    async def _take(self, event: Input.Submitted) -> None:
        again, self._tried = event.value == self._tried, event.value
        try:
            await self._attempt(event.value, again)
        except IdleClawError as error:
            self._say(str(error))
        else:
            self.dismiss(event.value)

    def _say(self, problem: str) -> None:
        line = self.query_one("#file-problem", Static)
        line.display = bool(problem)
        line.update(text(problem))
