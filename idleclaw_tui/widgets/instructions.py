"""The words that a model is to be told before everything else in a chat."""

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static, TextArea

from idleclaw_protocol.text_safety import clean
from idleclaw_tui.chat_history import MAX_INSTRUCTIONS_CHARS
from idleclaw_tui.widgets.bounded_area import BoundedArea
from idleclaw_tui.widgets.dialog import Dialog, dialog_box
from idleclaw_tui.widgets.safe_text import text

EXPLAINED: Final = (
    "Sent before your questions, as your own first words: routers know no other role, so models "
    "follow them less strictly than a system prompt. Of long chats less goes along with them."
)
EXPLAINED_SHORT: Final = "Sent as your own first words in this chat."


class Instructions(Dialog[str]):
    """Ends with the instructions, "" for none, or with None where they stay as they were."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="instructions.back"),
        Binding("ctrl+s", "keep", "keep", id="instructions.keep", priority=True),
    ]
    HELP = "What this chat's model is told first. **Ctrl+S** keeps it, **Escape** leaves it."
    DEFAULT_CSS = """
    #instructions-box { width: 84; }
    #instructions-detail { margin-bottom: 1; color: $text-muted; }
    #instructions-text { height: 8; background: $panel; padding: 0 1; }
    Instructions.-short #instructions-detail { margin-bottom: 0; }
    Instructions.-short #instructions-text { height: 4; }
    Instructions.-tiny #instructions-text { height: 2; }
    Instructions.-tiny #instructions-detail { display: none; }
    """

    def __init__(self, instructions: str) -> None:
        super().__init__()
        self._instructions = instructions

    def compose(self) -> ComposeResult:
        """Lay out the text under what it is good for."""
        with dialog_box("Instructions for this chat", id="instructions-box"):
            wide = self.app.size.width >= 80
            yield Static(text(EXPLAINED if wide else EXPLAINED_SHORT), id="instructions-detail")
            yield BoundedArea(MAX_INSTRUCTIONS_CHARS, self._instructions, id="instructions-text")

    def on_mount(self) -> None:
        """Begin at the end of what there is."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        self._count()

    def action_keep(self) -> None:
        """Keep the text, unless it is too long."""
        kept = clean(self.query_one(TextArea).text).strip()
        if len(kept) <= MAX_INSTRUCTIONS_CHARS:
            self.dismiss(kept)

    @on(TextArea.Changed)
    def _count(self) -> None:
        length = len(self.query_one(TextArea).text)
        said = "ctrl+s keeps · esc back"
        too_long = length > MAX_INSTRUCTIONS_CHARS
        if too_long:
            said = f"{length:,} of {MAX_INSTRUCTIONS_CHARS:,} characters: too long"
        box = self.query_one("#instructions-box")
        box.border_subtitle = text(said, "bad" if too_long else "dim")
