"""What the keys of the Chat tab do with the chats that are open."""

from textual.containers import Vertical

from idleclaw_tui import words
from idleclaw_tui.chat_search import Hit
from idleclaw_tui.chats import MAX_CHATS, Chat
from idleclaw_tui.tabs.chat_dialogs import (
    ask_before_closing,
    ask_what_to_open,
    ask_where_to_export,
    ask_which_code,
)
from idleclaw_tui.tabs.open_chats import OpenChats
from idleclaw_tui.transcript import Transcript
from idleclaw_tui.widgets.chat_search import ChatSearch
from idleclaw_tui.widgets.prompt_panel import PromptPanel
from idleclaw_tui.widgets.safe_text import toast


class ChatActions(Vertical):
    """Opens, closes, searches, writes and reads chats; copies from them; moves in them.

    What concerns a question is about the selected one, or else the newest.
    """

    @property
    def open_chats(self) -> OpenChats:
        """The chats on the screen."""
        return self.query_one(OpenChats)

    @property
    def chat(self) -> Chat:
        """The chat that shows."""
        return self.open_chats.chat

    @property
    def panel(self) -> PromptPanel:
        """The prompt and what is said about it."""
        return self.query_one(PromptPanel)

    async def action_new(self) -> None:
        """Open a new chat."""
        await self._open(None)

    async def action_next(self, step: int) -> None:
        """Show the chat beside this one."""
        await self.open_chats.show(self.open_chats.chats.beside(step))

    def action_close(self) -> None:
        """Close this chat; what stands in its prompt can be had back from the history."""
        chat = self.chat

        async def close() -> None:
            self.panel.keep_draft()
            await self.open_chats.close(chat)

        ask_before_closing(self, chat, close)

    def action_search(self) -> None:
        """Search all open chats."""
        self.app.push_screen(ChatSearch(self.open_chats.chats.open), self._found)

    def action_export(self) -> None:
        """Write this chat to a file."""
        ask_where_to_export(self, self.chat)

    def action_open(self) -> None:
        """Read a chat from a file into a chat of its own."""
        ask_what_to_open(self, self._open)

    def action_copy(self) -> None:
        """Copy the answer as the model wrote it."""
        subject = self.chat.subject
        if subject is not None and subject.answer.text:
            self.app.copy_to_clipboard(subject.answer.text)
            copied = words.count(len(subject.answer.text), "character")
            toast(self, f"Copied the answer: {copied}.")

    def action_code(self) -> None:
        """Copy a block of the answer's code."""
        subject = self.chat.subject
        if subject is not None and not ask_which_code(self, subject.answer.text):
            toast(self, "There is no code in this answer.")

    async def action_select(self, step: int) -> None:
        """Select the question before or after the selected one."""
        await self.open_chats.select(self.chat.select(step))
        self.refresh_bindings()

    async def action_more(self, earlier: bool) -> None:
        """Show exchanges that are not on the screen."""
        await self.open_chats.conversation.show_more(earlier=earlier)

    def action_page(self, direction: int) -> None:
        """Scroll the conversation by a page."""
        self.open_chats.conversation.page(direction)

    async def _open(self, transcript: Transcript | None) -> None:
        if await self.open_chats.new(transcript) is None:
            self.panel.warn(
                f"{MAX_CHATS} chats are open, which is all there can be. F8 closes one."
            )

    async def _found(self, hit: Hit | None) -> None:
        if hit is None or hit.chat not in self.open_chats.chats.open:
            return
        await self.open_chats.show(hit.chat)
        if hit.exchange in hit.chat.transcript.exchanges:
            await self.open_chats.select(hit.exchange)
            self.refresh_bindings()
