"""The answer to a probe, kept in memory instead of going to a consumer."""

from typing import Final, Literal

from idleclaw_server.inference import Ending, WaitState

MAX_CHARS: Final = 8_000
"""Of a longer answer this much is looked at; the rest is not waited for."""


class ProbeAnswer:
    """An `AnswerSink` that always keeps up.

    Attributes:
        text: the content so far, at most 8,000 characters.
        ending: how the answer ended, None before.
        cut: whether it was cut off without an end.
    """

    def __init__(self) -> None:
        self.text = ""
        self.ending: Ending | None = None
        self.cut = False

    @property
    def is_full(self) -> bool:
        """Whether nothing more is looked at."""
        return len(self.text) >= MAX_CHARS

    def content(self, text: str) -> int:
        """See `AnswerSink.content`."""
        if not self.is_full:
            self.text = (self.text + text)[:MAX_CHARS]
        return 0

    def thinking(self, text: str) -> int:
        """See `AnswerSink.thinking`."""
        return 0

    def waiting(self, state: WaitState, position: int | None, eta_seconds: float | None) -> None:
        """See `AnswerSink.waiting`."""

    def tool_call(self, name: str, status: Literal["executing", "done"]) -> None:
        """See `AnswerSink.tool_call`."""

    def comment(self) -> None:
        """See `AnswerSink.comment`."""

    def end(self, ending: Ending) -> None:
        """See `AnswerSink.end`."""
        self.ending = ending

    def abort(self) -> None:
        """See `AnswerSink.abort`."""
        self.cut = True

    def stalled_seconds(self, now: float) -> float:
        """See `AnswerSink.stalled_seconds`."""
        return 0.0
