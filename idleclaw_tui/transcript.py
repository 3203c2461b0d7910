"""The state of one conversation: what was asked, what came back, what goes to the router next."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from idleclaw_protocol import limits
from idleclaw_protocol.chat import ChatBody, ChatMessage, Timings, Usage
from idleclaw_tui.chat_updates import (
    ChatUpdate,
    Finished,
    TextPiece,
    ThinkingPiece,
    ToolProgress,
    Waiting,
)

Outcome = Literal["complete", "length", "tool_calls", "stopped", "failed"]

MAX_ANSWER_CHARS: Final = 200_000
MAX_THINKING_CHARS: Final = 100_000
MAX_EXCHANGES: Final = 1_000


class _Pieces:
    """Text that grows at its end up to a limit; what comes beyond is dropped."""

    __slots__ = ("_length", "_limit", "_pieces")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._length = 0
        self._pieces: list[str] = []

    def __len__(self) -> int:
        return self._length

    @property
    def full(self) -> bool:
        return self._length >= self._limit

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def add(self, piece: str) -> None:
        piece = piece[: self._limit - self._length]
        if piece:
            self._pieces.append(piece)
            self._length += len(piece)


@dataclass(slots=True, eq=False)
class Answer:
    """One answer, from the moment it was asked for. Times are seconds of one monotonic clock.

    `error` is a sentence for people and set exactly where `outcome` is "failed".
    """

    model: str
    asked_at: float
    waiting: Waiting | None = None
    tool: ToolProgress | None = None
    thinking_since: float | None = None
    thinking_seconds: float = 0.0
    first_text_at: float | None = None
    last_text_at: float = 0.0
    chunks: int = 0
    outcome: Outcome | None = None
    error: str | None = None
    ended_at: float | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    _text: _Pieces = field(default_factory=lambda: _Pieces(MAX_ANSWER_CHARS))
    _thinking: _Pieces = field(default_factory=lambda: _Pieces(MAX_THINKING_CHARS))

    @property
    def text(self) -> str:
        """The answer so far, of at most `MAX_ANSWER_CHARS`."""
        return self._text.text

    @property
    def thinking(self) -> str:
        """The thinking so far, of at most `MAX_THINKING_CHARS`; the rest is not kept."""
        return self._thinking.text

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.outcome is not None

    @property
    def full(self) -> bool:
        """Whether the answer reached the limit, so that more would be dropped."""
        return self._text.full

    @property
    def tokens(self) -> int:
        """The answer's tokens as the model's Ollama counted them, else the pieces that came."""
        counted = self.usage.completion_tokens if self.usage else 0
        return counted or self.chunks

    def apply(self, update: ChatUpdate, now: float) -> None:
        """Take in what the router sent; after the end nothing changes any more."""
        if self.ended:
            return
        match update:
            case Waiting():
                self.waiting = update
            case ThinkingPiece(text=text):
                self.thinking_since = now if self.thinking_since is None else self.thinking_since
                self._thinking.add(text)
                self.chunks += 1
            case ToolProgress():
                self.tool = update if update.status == "executing" else None
            case TextPiece(text=text):
                self._add_text(text, now)
            case Finished():
                self._finish(update, now)

    def end(self, outcome: Outcome, now: float, error: str | None = None) -> None:
        """Close the answer; only the first end counts."""
        if self.ended:
            return
        self._end_thinking(now)
        self.outcome, self.error, self.ended_at, self.tool = outcome, error, now, None

    def _add_text(self, text: str, now: float) -> None:
        self._end_thinking(now)
        self.tool = None
        self._text.add(text)
        self.first_text_at = now if self.first_text_at is None else self.first_text_at
        self.last_text_at = now
        self.chunks += 1

    def _end_thinking(self, now: float) -> None:
        if self.thinking_since is not None:
            self.thinking_seconds += now - self.thinking_since
            self.thinking_since = None

    def _finish(self, finished: Finished, now: float) -> None:
        self.usage, self.timings = finished.usage, finished.timings
        if finished.reason == "error":
            self.end("failed", now, finished.error or "The node could not finish the answer.")
        elif finished.reason is None or finished.reason == "stop":
            self.end("complete", now)
        else:
            self.end(finished.reason, now)


@dataclass(slots=True, eq=False)
class Exchange:
    """A question and its answer."""

    question: str
    answer: Answer


class Transcript:
    """A conversation of at most `MAX_EXCHANGES`; beyond, the oldest exchange is forgotten."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    @property
    def last(self) -> Exchange | None:
        """The newest exchange."""
        return self.exchanges[-1] if self.exchanges else None

    @property
    def running(self) -> Answer | None:
        """The answer that still comes in, if one does."""
        last = self.last
        return last.answer if last and not last.answer.ended else None

    def ask(self, question: str, model: str, now: float) -> Exchange:
        """Add a question whose answer is awaited from now on."""
        exchange = Exchange(question, Answer(model, now))
        self.exchanges.append(exchange)
        del self.exchanges[:-MAX_EXCHANGES]
        return exchange

    def ask_again(self, model: str, now: float) -> Exchange:
        """Replace the last answer by one that is awaited from now on.

        Raises IndexError where nothing was asked yet.
        """
        last = self.exchanges.pop()
        return self.ask(last.question, model, now)

    def body(self, *, think: bool = False) -> ChatBody:
        """Return what to post for the last question: as much history as the router takes.

        The newest exchanges that fit into the router's limits go along. Questions without an
        answer are left out: one that was refused would be refused again. Of an answer longer
        than a message may be, its end goes along. Raises IndexError where nothing was asked yet.
        """
        last = self.exchanges[-1]
        messages = [ChatMessage(role="user", content=last.question)]
        room = limits.MAX_TOTAL_CHARS - len(last.question)
        for question, answer in self._answered():
            room -= len(question) + len(answer)
            if room < 0 or len(messages) + 2 > limits.MAX_MESSAGES:
                break
            messages[:0] = (
                ChatMessage(role="user", content=question),
                ChatMessage(role="assistant", content=answer),
            )
        return ChatBody(model=last.answer.model, messages=tuple(messages), think=think)

    def _answered(self) -> Iterator[tuple[str, str]]:
        for exchange in reversed(self.exchanges[:-1]):
            if answer := exchange.answer.text[-limits.MAX_MESSAGE_CHARS :].strip():
                yield exchange.question, answer
