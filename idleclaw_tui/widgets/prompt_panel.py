"""The lower part of the chat: the prompt, and one line over it about what is to be sent."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from idleclaw_tui.prompt_history import PromptHistory
from idleclaw_tui.widgets.bounded_area import BoundedArea
from idleclaw_tui.widgets.prompt import PromptArea, PromptBox
from idleclaw_tui.widgets.safe_text import toned
from idleclaw_tui.words import Toned


class Notice(Static):
    """One line over the prompt about what the person wants to send."""

    def say(self, *parts: Toned) -> None:
        """Show the parts, or nothing where there are none."""
        self.display = bool(parts)
        self.update(toned(parts))


class PromptPanel(Vertical):
    """Holds the draft. A warning stands over it until the text changes, and in its place again
    what is said for as long as it is so."""

    DEFAULT_CSS = "PromptPanel { height: auto; }"

    def __init__(self, *, private: bool) -> None:
        super().__init__()
        self.history = PromptHistory()
        self._private = private
        self._standing: tuple[Toned, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the line over the field."""
        yield Notice(id="notice")
        yield PromptBox(self.history, private=self._private)

    def on_mount(self) -> None:
        """Begin with nothing to say."""
        self.query_one(Notice).say()

    @property
    def area(self) -> PromptArea:
        """The text field."""
        return self.query_one(PromptArea)

    def show_model(self, parts: tuple[Toned, ...]) -> None:
        """Show which model will answer."""
        self.query_one(PromptBox).show_model(parts)

    def warn(self, *sentences: str) -> None:
        """Say what is wrong until the text changes."""
        said = " ".join(sentences)
        self.query_one(Notice).say(Toned("! ", "warn"), Toned(said, "warn"))

    def stand(self, *parts: Toned) -> None:
        """Say something for as long as it is so; without parts nothing any more."""
        self._standing = parts
        self.query_one(Notice).say(*parts)

    def sent(self, message: str) -> None:
        """Empty the field after its text was taken."""
        self.history.add(message)
        self.area.clear()

    def keep_draft(self) -> None:
        """Let the history hold what stands here and is about to be replaced."""
        if draft := self.area.text.strip():
            self.history.add(draft)

    def replace_draft(self, words: str) -> None:
        """Let other words stand in the field, as the draft from now on."""
        self.history.leave()
        self.area.put(words)

    @on(TextArea.Changed)
    def _edited(self, event: TextArea.Changed) -> None:
        self.query_one(PromptBox).show_count(len(event.text_area.text))
        self.query_one(Notice).say(*self._standing)

    @on(BoundedArea.PasteCut)
    def _paste_cut(self, message: BoundedArea.PasteCut) -> None:
        kept, length = f"{message.kept:,}", f"{message.length:,}"
        self.warn(f"A message holds no more: {kept} of {length} pasted characters are here.")
