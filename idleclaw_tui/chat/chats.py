"""The chats that are open: their order, which one shows, and what is not kept anywhere yet."""

from dataclasses import dataclass, field
from typing import Final, Literal

from idleclaw_tui.chat.transcript import Exchange, Transcript
from idleclaw_tui.network.model_selection import ModelSelection

MAX_CHATS: Final = 9
"""Chats that are open at once; to open another, one has to be closed first."""

MAX_TITLE_CHARS: Final = 24
NEW_TITLE: Final = "New chat"

ChatState = Literal["answering", "failed", "unread", "quiet"]

_Moment = tuple[int, int, bool, str]


@dataclass(slots=True, eq=False)
class Chat:
    """One chat. `number` tells it from all others and is never used again.

    `draft` is what stands in the prompt while another chat shows; `kept_draft` what stood there
    before the question of `editing` was put there. `selected` is what actions are about instead
    of the newest exchange.
    """

    number: int
    transcript: Transcript = field(default_factory=Transcript)
    selection: ModelSelection = field(default_factory=ModelSelection)
    draft: str = ""
    editing: Exchange | None = None
    kept_draft: str = ""
    selected: Exchange | None = None
    _saved: _Moment = (0, 0, True, "")
    _read: _Moment = (0, 0, True, "")

    @property
    def title(self) -> str:
        """The first words of the first question."""
        if not self.transcript.exchanges:
            return NEW_TITLE
        return first_words(self.transcript.exchanges[0].question)

    @property
    def empty(self) -> bool:
        """Whether nothing was asked in it."""
        return not self.transcript.exchanges

    @property
    def state(self) -> ChatState:
        """What there is to know of it while another one shows."""
        last = self.transcript.last
        if last is not None and not last.answer.ended:
            return "answering"
        if self._moment() == self._read:
            return "quiet"
        return "failed" if last is not None and last.answer.outcome == "failed" else "unread"

    @property
    def unsaved(self) -> bool:
        """Whether it holds anything that was not exported."""
        return not self.empty and self._moment() != self._saved

    @property
    def subject(self) -> Exchange | None:
        """The exchange that actions are about: the selected one, else the newest."""
        selected = self.selected if self.selected in self.transcript.exchanges else None
        return selected or self.transcript.last

    def mark_read(self) -> None:
        """Take the chat, as it is now, as seen by the person."""
        self._read = self._moment()

    def mark_saved(self) -> None:
        """Take the chat, as it is now, as exported."""
        self._saved = self._moment()

    def select(self, step: int) -> Exchange | None:
        """Select the exchange before (-1) or after (1) the selected one, and return it.

        Before the first nothing changes; after the last nothing is selected.
        """
        exchanges = self.transcript.exchanges
        at = exchanges.index(self.selected) if self.selected in exchanges else len(exchanges)
        at = max(0, at + step)
        self.selected = exchanges[at] if at < len(exchanges) else None
        return self.selected

    def later_than(self, exchange: Exchange) -> int:
        """Return how many exchanges come after `exchange`, which must be one of this chat's."""
        exchanges = self.transcript.exchanges
        return len(exchanges) - 1 - exchanges.index(exchange)

    def _moment(self) -> _Moment:
        last = self.transcript.last
        length, ended = (len(last.answer.text), last.answer.ended) if last else (0, True)
        return self.transcript.changes, length, ended, self.transcript.instructions


class Chats:
    """At least one and at most `MAX_CHATS` chats, of which one shows."""

    def __init__(self) -> None:
        self._numbers = 0
        self.open: list[Chat] = [self._made()]
        self.current = self.open[0]

    @property
    def full(self) -> bool:
        """Whether one has to be closed before another can be opened."""
        return len(self.open) >= MAX_CHATS

    @property
    def unsaved(self) -> list[Chat]:
        """The chats whose words would be lost with the program."""
        return [chat for chat in self.open if chat.unsaved]

    def new(self, transcript: Transcript | None = None) -> Chat | None:
        """Open and show a chat, with the model of the one before; None where there are too many.

        A `transcript` that is given comes from a file, and so counts as saved.
        """
        if self.full:
            return None
        chat = self._made()
        chat.selection = self.current.selection.copy()
        if transcript is not None:
            chat.transcript = transcript
            chat.mark_saved()
            chat.mark_read()
        self.open.append(chat)
        self.show(chat)
        return chat

    def show(self, chat: Chat) -> None:
        """Show `chat`, which is one of the open ones; it and the one before are then read."""
        self.current.mark_read()
        self.current = chat
        chat.mark_read()

    def beside(self, step: int) -> Chat:
        """Return the chat `step` places after the one that shows, around the end."""
        return self.open[(self.open.index(self.current) + step) % len(self.open)]

    def close(self, chat: Chat) -> None:
        """Forget `chat`; where it showed, its neighbour does, or a new one after the last."""
        at = self.open.index(chat)
        self.open.remove(chat)
        if not self.open:
            self.open = [self._made()]
            self.open[0].selection = chat.selection.copy()
        if chat is self.current:
            self.show(self.open[min(at, len(self.open) - 1)])

    def _made(self) -> Chat:
        self._numbers += 1
        return Chat(self._numbers)


def first_words(question: str) -> str:
    """Return the beginning of a question as a title of at most `MAX_TITLE_CHARS`."""
    words = question[: MAX_TITLE_CHARS * 8].split()
    whole = " ".join(words)
    if len(whole) <= MAX_TITLE_CHARS:
        return whole
    title = whole[:MAX_TITLE_CHARS].rpartition(" ")[0] or whole[: MAX_TITLE_CHARS - 1]
    return f"{title}…"
