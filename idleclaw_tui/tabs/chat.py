"""The Chat tab: the prompt, the choice of a model, and the conversation above them."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_tui import words
from idleclaw_tui.model_selection import ModelSelection, offer
from idleclaw_tui.network_view import NetworkView
from idleclaw_tui.peers import Router
from idleclaw_tui.tabs.conversation import Conversation
from idleclaw_tui.transcript import Transcript
from idleclaw_tui.widgets.choice import Choice, Way
from idleclaw_tui.widgets.greeting import Suggestion
from idleclaw_tui.widgets.model_picker import ModelPicker
from idleclaw_tui.widgets.prompt import Notice, PromptArea, PromptBox
from idleclaw_tui.widgets.safe_text import toast
from idleclaw_tui.words import Toned

_KEPT = "Your text stays here."


class ChatTab(Vertical):
    """Sends what the person writes and shows what comes back."""

    BINDING_GROUP_TITLE = "Chat"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the answer"),
        Binding("ctrl+t", "model", "model", id="chat.model", tooltip="Choose the model"),
        Binding("ctrl+r", "again", "again", id="chat.again", tooltip="Ask the last question again"),
        Binding("ctrl+y", "copy", "copy", id="chat.copy", tooltip="Copy the last answer"),
        Binding("ctrl+n", "new", "new chat", id="chat.new", tooltip="Start a new chat"),
        Binding(
            "ctrl+o", "think", "thinking", id="chat.think", tooltip="Switch thinking on or off"
        ),
        Binding("ctrl+up", "more(True)", "Load earlier questions", id="chat.earlier", show=False),
        Binding("ctrl+down", "more(False)", "Load later questions", id="chat.later", show=False),
        Binding("pageup", "page(-1)", "Scroll up", id="chat.up", show=False),
        Binding("pagedown", "page(1)", "Scroll down", id="chat.down", show=False),
    ]

    def __init__(self, router: Router, network: NetworkView, clock: Callable[[], float]) -> None:
        super().__init__(id="chat")
        self._router = router
        self._network = network
        self._clock = clock
        self._selection = ModelSelection()

    @property
    def conversation(self) -> Conversation:
        """The conversation that is open."""
        return self.query_one(Conversation)

    @property
    def _transcript(self) -> Transcript:
        return self.conversation.transcript

    def compose(self) -> ComposeResult:
        """Lay out the conversation over the prompt."""
        yield Conversation(self._router, self._clock)
        yield Notice(id="notice")
        yield PromptBox(id="prompt-box")

    def on_mount(self) -> None:
        """Begin with an empty chat."""
        self.query_one(Notice).say()
        self.show_network()

    def show_network(self) -> None:
        """Show what the network offers now."""
        picture = self._network.picture
        if picture is not None:
            self._selection.update(picture)
        self.query_one(PromptBox).show_model(self._selection.line(picture))
        self.conversation.offer(offer(picture, self._network.trouble(self._clock())))
        if isinstance(self.app.screen, ModelPicker):
            self.app.screen.offer(self._network.models)
        self.refresh_bindings()

    def use_model(self, name: str) -> None:
        """Let that model answer from now on."""
        self._selection.choose(name)
        self.show_network()

    def focus_main(self) -> None:
        """Put the cursor into the prompt."""
        self.query_one(PromptArea).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if not self.query(Conversation):
            return False
        last = self._transcript.last
        match action:
            case "stop":
                return self._transcript.running is not None
            case "again":
                return last is not None and last.answer.ended
            case "new":
                return last is not None
            case "copy":
                return last is not None and bool(last.answer.text)
            case "think":
                return self._selection.can_think(self._network.picture)
        return True

    def action_stop(self) -> None:
        """Stop the answer; its text stays."""
        self.conversation.stop()

    def action_model(self) -> None:
        """Open the choice of models."""
        picker = ModelPicker(self._network.models, self._selection.current)
        self.app.push_screen(picker, self._picked)

    def action_again(self) -> None:
        """Ask the last question again, of the model that is chosen now."""
        last = self._transcript.last
        if last is not None and last.answer.ended:
            model = self._selection.current or last.answer.model
            self.conversation.ask_again(model, think=self._thinks)

    def action_copy(self) -> None:
        """Copy the last answer."""
        last = self._transcript.last
        if last is not None and last.answer.text:
            self.app.copy_to_clipboard(last.answer.text)
            copied = words.count(len(last.answer.text), "character")
            toast(self, f"Copied the answer: {copied}.")

    def action_new(self) -> None:
        """Start a new chat, after asking, because the old one is kept nowhere."""
        detail = "This one is kept nowhere: its questions and answers will be gone."
        self.app.push_screen(Choice("New chat", detail, [Way("enter", "Start anew")]), self._anew)

    def action_think(self) -> None:
        """Let the model think before it answers, or no longer."""
        self._selection.toggle_thinking()
        self.show_network()

    async def action_more(self, earlier: bool) -> None:
        """Show exchanges that are not on the screen."""
        await self.conversation.show_more(earlier=earlier)

    def action_page(self, direction: int) -> None:
        """Scroll the conversation by a page."""
        self.conversation.page(direction)

    def on_key(self, event: events.Key) -> None:
        """Write into the prompt wherever the focus is."""
        prompt = self.query_one(PromptArea)
        if event.is_printable and event.character and not prompt.has_focus:
            event.stop()
            prompt.focus()
            prompt.insert(event.character)

    @property
    def _thinks(self) -> bool:
        return self._selection.thinks(self._network.picture)

    @on(PromptArea.Submitted)
    def _send(self, message: PromptArea.Submitted) -> None:
        question = message.question.strip()
        if not question:
            return
        model = self._selection.current
        problem = self._problem_with(question)
        if problem is not None or model is None:
            self._warn(problem or "No model is online now.", _KEPT)
            return
        self.query_one(PromptArea).clear()
        self.query_one(Notice).say()
        self.conversation.ask(question, model, think=self._thinks)

    def _problem_with(self, question: str) -> str | None:
        if self._transcript.running:
            return "The answer is still coming in; esc stops it."
        if len(question) > MAX_MESSAGE_CHARS:
            length = f"{len(question):,} of {MAX_MESSAGE_CHARS:,}"
            return f"Too long for one message: {length} characters."
        if self._selection.current is None:
            return self._network.trouble(self._clock())
        return None

    def _warn(self, *sentences: str) -> None:
        self.query_one(Notice).say(Toned("! ", "warn"), Toned(" ".join(sentences), "warn"))

    @on(TextArea.Changed)
    def _edited(self, event: TextArea.Changed) -> None:
        self.query_one(PromptBox).show_count(len(event.text_area.text))
        self.query_one(Notice).say()

    @on(PromptArea.PasteCut)
    def _paste_cut(self, message: PromptArea.PasteCut) -> None:
        kept, length = f"{message.kept:,}", f"{message.length:,}"
        self._warn(f"A message holds no more: {kept} of {length} pasted characters are here.")

    @on(Conversation.Changed)
    def _conversation_changed(self) -> None:
        self.refresh_bindings()

    @on(Suggestion.Chosen)
    def _suggested(self, message: Suggestion.Chosen) -> None:
        prompt = self.query_one(PromptArea)
        prompt.text = message.question
        prompt.move_cursor(prompt.document.end)
        prompt.focus()

    @on(PromptBox.TopClicked)
    def _model_line_clicked(self) -> None:
        self.action_model()

    def _picked(self, name: str | None) -> None:
        if name is not None:
            self.use_model(name)

    async def _anew(self, way: str | None) -> None:
        if way is None:
            return
        self.conversation.stop()
        await self.conversation.remove()
        await self.mount(Conversation(self._router, self._clock), before=0)
        self.show_network()
