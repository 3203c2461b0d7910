"""The Chat tab: the prompt, the choice of a model, and the open chats above them."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_protocol.text_safety import clean
from idleclaw_tui import words
from idleclaw_tui.chats import Chat
from idleclaw_tui.model_selection import offer
from idleclaw_tui.network_view import NetworkView
from idleclaw_tui.peers import Router
from idleclaw_tui.tabs.chat_actions import ChatActions
from idleclaw_tui.tabs.chat_keys import CHAT_BINDINGS, allowed
from idleclaw_tui.tabs.conversation import Conversation
from idleclaw_tui.tabs.open_chats import OpenChats
from idleclaw_tui.transcript import Exchange
from idleclaw_tui.widgets.choice import Choice, Way
from idleclaw_tui.widgets.greeting import Suggestion
from idleclaw_tui.widgets.instructions import Instructions
from idleclaw_tui.widgets.model_picker import ModelPicker
from idleclaw_tui.widgets.prompt import PromptArea, PromptBox
from idleclaw_tui.widgets.prompt_panel import PromptPanel
from idleclaw_tui.words import Toned

_KEPT = "Your text stays here."


class ChatTab(ChatActions):
    """Sends what the person writes and shows what comes back."""

    BINDING_GROUP_TITLE = "Chat"
    BINDINGS: ClassVar[list[BindingType]] = CHAT_BINDINGS
    HELP = (
        "Several chats can be open, each answered on its own: **Ctrl+N** opens one, **F5** and "
        "**F6** go from one to the next, **F8** closes. Nothing is kept on disk unless you export "
        "it with **Ctrl+S**. **Alt+Up** selects an earlier question to edit, ask again or copy."
    )

    class Refresh(Message):
        """What the network offers is to be looked at again now."""

    def __init__(self, router: Router, network: NetworkView, clock: Callable[[], float]) -> None:
        super().__init__(id="chat")
        self._router = router
        self._network = network
        self._clock = clock
        self._written_in: Chat | None = None

    @property
    def conversation(self) -> Conversation:
        """The conversation that shows."""
        return self.open_chats.conversation

    def compose(self) -> ComposeResult:
        """Lay out the conversations over the prompt."""
        yield OpenChats(self._router, self._network, self._clock, self._chat_changed)
        yield PromptPanel(private=self._network.is_private)

    def show_network(self) -> None:
        """Show what the network offers now."""
        if not self.open_chats.ready:
            return
        picture = self._network.picture
        selection = self.chat.selection
        if picture is not None:
            selection.update(picture)
        line = selection.line(picture)
        if self.chat.transcript.instructions:
            line = (*line, Toned(f"{words.SEPARATOR}instructions", "dim"))
        self.panel.show_model(line)
        self.conversation.offer(offer(picture, self._network.trouble(self._clock())))
        if isinstance(self.app.screen, ModelPicker):
            self.app.screen.offer(self._network.models)
        self.refresh_bindings()

    def use_model(self, name: str) -> None:
        """Let that model answer in this chat from now on."""
        self.chat.selection.choose(name)
        self.show_network()

    def focus_main(self) -> None:
        """Put the cursor into the prompt, before any key that waits to be handled."""
        self.screen.set_focus(self.panel.area)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if not self.query(OpenChats) or not self.open_chats.ready:
            return False
        chats = self.open_chats.chats
        return allowed(action, self.chat, len(chats.open), self._network.picture)

    def action_stop(self) -> None:
        """Stop the answer, whose text stays, or the attempts to get one."""
        self.open_chats.stop()
        self.refresh_bindings()

    async def action_back(self) -> None:
        """Leave the question that is being edited and the selection."""
        if self.chat.editing is not None:
            self.chat.editing = None
            self.panel.replace_draft(self.chat.kept_draft)
            self._show_editing()
        await self.open_chats.select(None)
        self.refresh_bindings()

    def action_model(self) -> None:
        """Open the choice of models."""
        self.post_message(self.Refresh())
        picker = ModelPicker(self._network.models, self.chat.selection.current)
        self.app.push_screen(picker, self._picked)

    def action_think(self) -> None:
        """Let the model think before it answers, or no longer."""
        self.chat.selection.toggle_thinking()
        self.show_network()

    def action_instruct(self) -> None:
        """Change what this chat's model is told first."""
        chat = self.chat

        def decided(instructions: str | None) -> None:
            if instructions is not None:
                chat.transcript.instructions = instructions
                self.show_network()

        self.app.push_screen(Instructions(chat.transcript.instructions), decided)

    def action_again(self) -> None:
        """Ask again, of the model that is chosen now, after asking where more would be lost."""
        subject = self.chat.subject
        if subject is None or self.chat.transcript.running:
            return
        if later := self.chat.later_than(subject):
            detail = f"{words.count(later, 'later question')} and what was answered will be gone."
            ways = [Way("enter", "Ask again")]
            self.app.push_screen(
                Choice("Ask an earlier question again", detail, ways),
                lambda way: self._ask_again(subject) if way else None,
            )
        else:
            self._ask_again(subject)

    def action_go_on(self) -> None:
        """Ask for the rest of an answer that was cut."""
        last = self.chat.transcript.last
        if last is not None and last.answer.can_go_on:
            self.open_chats.go_on(self.chat.selection.current or last.answer.model)

    def action_edit(self) -> None:
        """Put a question that was sent back into the prompt."""
        chat = self.chat
        if chat.subject is None or chat.transcript.running:
            return
        if chat.editing is None:
            chat.kept_draft = self.panel.area.text
        chat.editing = chat.subject
        self.panel.replace_draft(chat.editing.question)
        self._show_editing()
        self.focus_main()
        self.refresh_bindings()

    def on_key(self, event: events.Key) -> None:
        """Write into the prompt wherever the focus is."""
        prompt = self.panel.area
        if event.is_printable and event.character and not prompt.has_focus:
            event.stop()
            prompt.focus()
            prompt.insert(event.character)

    def _ask_again(self, exchange: Exchange) -> None:
        if exchange in self.chat.transcript.exchanges and not self.chat.transcript.running:
            self.open_chats.ask_again(
                exchange, self.chat.selection.current or exchange.answer.model
            )

    @on(PromptArea.Submitted)
    def _send(self, message: PromptArea.Submitted) -> None:
        question = clean(message.question).strip()
        if not question:
            return
        model = self.chat.selection.current
        problem = self._problem_with(question)
        if problem is not None or model is None:
            self.panel.warn(problem or "No model is online now.", _KEPT)
            return
        was_editing = self.chat.editing is not None
        self.panel.sent(question)
        self.open_chats.ask(question, model)
        if was_editing:
            self.panel.replace_draft(self.chat.kept_draft)
            self._show_editing()

    def _problem_with(self, question: str) -> str | None:
        if self.chat.transcript.running:
            return "The answer is still coming in; esc stops it."
        if len(question) > MAX_MESSAGE_CHARS:
            length = f"{len(question):,} of {MAX_MESSAGE_CHARS:,}"
            return f"Too long for one message: {length} characters."
        if self.chat.selection.current is None:
            return self._network.trouble(self._clock())
        return None

    def _show_editing(self) -> None:
        chat, exchanges = self.chat, self.chat.transcript.exchanges
        if chat.editing not in exchanges:
            chat.editing = None
            self.panel.stand()
            return
        at = exchanges.index(chat.editing)
        also = " and what follows" if at + 1 < len(exchanges) else ""
        which = f"question {at + 1} of {len(exchanges)}"
        said = f"Editing {which}: sending replaces it{also} · esc leaves it"
        self.panel.stand(Toned(said, "accent"))

    def _chat_changed(self, chat: Chat) -> None:
        """Keep the draft of the chat that was left, and go on with that of `chat`."""
        if self._written_in is not None:
            self._written_in.draft = self.panel.area.text
            self.panel.replace_draft(chat.draft)
            self._show_editing()
        self._written_in = chat

    @on(OpenChats.Shown)
    def _chat_shown(self) -> None:
        last = self.chat.transcript.last
        if last is not None and last.answer.failure is not None:
            self.post_message(self.Refresh())
        self.show_network()

    @on(Suggestion.Chosen)
    def _suggested(self, message: Suggestion.Chosen) -> None:
        self.panel.keep_draft()
        self.panel.replace_draft(message.question)
        self.focus_main()

    @on(PromptBox.TopClicked)
    def _model_line_clicked(self) -> None:
        self.action_model()

    def _picked(self, name: str | None) -> None:
        if name is not None:
            self.use_model(name)
