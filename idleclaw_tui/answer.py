"""One answer of a conversation, from the moment it was asked for to its end."""

from dataclasses import dataclass, field
from typing import Final, Literal

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.chat_updates import (
    ChatUpdate,
    Finished,
    TextPiece,
    ThinkingPiece,
    ToolProgress,
    Waiting,
)
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.failed_asking import Failure, failure_of, reason_of

Outcome = Literal["complete", "length", "tool_calls", "stopped", "failed"]

MAX_ANSWER_CHARS: Final = 200_000
MAX_THINKING_CHARS: Final = 100_000


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

    `error` is a sentence for people and set exactly where `outcome` is "failed"; `failure` says
    more where the router did not even begin. `attempt` counts the times this was tried before.
    `before` and `thinking_before` are what this answer goes on from, `tokens_before` its tokens.
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
    failure: Failure | None = None
    attempt: int = 0
    before: str = ""
    thinking_before: str = ""
    tokens_before: int = 0
    _text: _Pieces = field(default_factory=lambda: _Pieces(MAX_ANSWER_CHARS))
    _thinking: _Pieces = field(default_factory=lambda: _Pieces(MAX_THINKING_CHARS))

    def __post_init__(self) -> None:
        self._text.add(self.before)
        self._thinking.add(self.thinking_before)

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
        return self.tokens_before + (counted or self.chunks)

    @property
    def can_go_on(self) -> bool:
        """Whether it was cut, so that the model can be asked for the rest."""
        cut = self.outcome in ("stopped", "failed", "length")
        return cut and not self.full and bool(self.text.strip())

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

    def fail(self, error: IdleClawError, now: float) -> None:
        """Close the answer with what went wrong before the first of it came."""
        if not self.ended:
            self.end("failed", now, reason_of(error))
            self.failure = failure_of(error, now, self.attempt)

    def _add_text(self, text: str, now: float) -> None:
        self._end_thinking(now)
        self.tool = None
        if self.first_text_at is None and self.before:
            text = joint(self.before, text) + text
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


def joint(before: str, after: str) -> str:
    """Return what belongs between an answer that was cut and its continuation.

    Models drop the blank at the beginning of what they say; most cuts lie between two words.
    """
    cut_at_word = before[-1:].isascii() and not before[-1:].isspace()
    return " " if cut_at_word and after[:1].isascii() and after[:1].isalnum() else ""
