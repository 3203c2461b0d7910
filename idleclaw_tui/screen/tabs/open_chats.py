"""The open chats on the screen: one conversation for each, of which one shows."""

from collections.abc import Callable
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher

from idleclaw_tui.chat.chats import Chat, Chats
from idleclaw_tui.chat.transcript import Exchange, Transcript
from idleclaw_tui.network.view import NetworkView
from idleclaw_tui.router.protocol import Router
from idleclaw_tui.screen.tabs.conversation import Conversation
from idleclaw_tui.screen.widgets.chat_strip import ChatStrip

_TICK_SECONDS: Final = 1.0


class OpenChats(Vertical):
    """Makes a conversation for every chat and takes it away with it.

    Each streams on its own, whether it shows or not. Questions that no router took are repeated
    from here when their time has come. `chat_changed` is called with the chat that is about to
    show, before any key can be typed into it.
    """

    DEFAULT_CSS = "OpenChats { height: 1fr; } #conversations { height: 1fr; }"

    class Shown(Message):
        """Another chat shows now, or something in one began or ended."""

    def __init__(
        self,
        router: Router,
        network: NetworkView,
        clock: Callable[[], float],
        chat_changed: Callable[[Chat], None],
    ) -> None:
        super().__init__()
        self.chats = Chats()
        self._router = router
        self._network = network
        self._clock = clock
        self._chat_changed = chat_changed
        self._shown: Chat | None = None
        self._conversations: dict[Chat, Conversation] = {}
        self._switcher = ContentSwitcher(id="conversations")

    def compose(self) -> ComposeResult:
        """Lay out the titles over the conversations."""
        yield ChatStrip()
        yield self._switcher

    async def on_mount(self) -> None:
        """Begin with the first chat."""
        await self._show()
        self.set_interval(_TICK_SECONDS, self._tick)

    @property
    def chat(self) -> Chat:
        """The chat that shows."""
        return self.chats.current

    @property
    def conversation(self) -> Conversation:
        """The conversation that shows."""
        return self._conversations[self.chat]

    @property
    def ready(self) -> bool:
        """Whether the chat that shows is on the screen yet."""
        return self.chat in self._conversations

    async def new(self, transcript: Transcript | None = None) -> Chat | None:
        """Open and show a chat; None where as many are open as can be."""
        chat = self.chats.new(transcript)
        await self._show()
        return chat

    async def show(self, chat: Chat) -> None:
        """Show another chat."""
        if chat in self.chats.open:
            self.chats.show(chat)
            await self._show()

    async def close(self, chat: Chat) -> None:
        """Forget a chat; an answer that still comes in is cancelled at the router."""
        self.chats.close(chat)
        gone = self._conversations.pop(chat)
        await self._show()
        gone.stop()
        await gone.remove()

    def ask(self, question: str, model: str) -> None:
        """Ask in the chat that shows, in place of the question that is being edited, if any."""
        chat, transcript = self.chat, self.chat.transcript
        if chat.editing in transcript.exchanges:
            transcript.ask_instead(chat.editing, question, model, self._clock())
        else:
            transcript.ask(question, model, self._clock())
        chat.editing = None
        self._begin(chat)

    def ask_again(self, exchange: Exchange, model: str) -> None:
        """Ask a question of the chat that shows again; what came after it is forgotten."""
        self.chat.transcript.ask_instead(exchange, exchange.question, model, self._clock())
        self._begin(self.chat)

    def go_on(self, model: str) -> None:
        """Ask for the rest of the newest answer of the chat that shows."""
        self.chat.transcript.go_on(model, self._clock())
        self._begin(self.chat)

    def stop(self) -> None:
        """Stop the answer of the chat that shows, or the attempts to get one."""
        self.conversation.stop()
        last = self.chat.transcript.last
        if last is not None and last.answer.failure is not None:
            last.answer.failure = last.answer.failure.given_up()

    async def select(self, exchange: Exchange | None) -> None:
        """Mark an exchange of the chat that shows, or none."""
        self.chat.selected = exchange
        await self.conversation.select(exchange)

    def _begin(self, chat: Chat) -> None:
        chat.selected = None
        thinks = chat.selection.thinks(self._network.picture)
        self._conversations[chat].begin(think=thinks)

    async def _show(self) -> None:
        if self.chat is not self._shown:
            self._shown = self.chat
            self._chat_changed(self.chat)
        if self.chat not in self._conversations:
            conversation = Conversation(self._router, self._clock, self.chat.transcript)
            self._conversations[self.chat] = conversation
            await self._switcher.add_content(conversation, id=f"chat-{self.chat.number}")
            if not self.chat.empty:
                await conversation.show_end()
        self._switcher.current = self.conversation.id
        self._draw_titles()
        self.post_message(self.Shown())

    def _draw_titles(self) -> None:
        self.query_one(ChatStrip).show(self.chats.open, self.chat)

    async def _tick(self) -> None:
        now = self._clock()
        for chat, conversation in list(self._conversations.items()):
            last = chat.transcript.last
            failure = last.answer.failure if last else None
            if failure is not None and failure.repeats and now >= (failure.retry_at or 0.0):
                chat.transcript.retry(now)
                self._begin(chat)
            elif chat is self.chat:
                await conversation.tick()

    @on(Conversation.Changed)
    def _answer_changed(self) -> None:
        self._draw_titles()
        self.post_message(self.Shown())

    @on(ChatStrip.Chosen)
    async def _chosen(self, message: ChatStrip.Chosen) -> None:
        await self.show(message.chat)
