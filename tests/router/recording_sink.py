"""An answer that stays in memory, for tests of the core without HTTP."""

from idleclaw_server.inference import Ending, WaitState


class RecordingSink:
    """An `AnswerSink` that keeps what it was given.

    `unread` bytes pretend to wait for a consumer; `stalled` pretends it takes nothing.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.waits: list[tuple[WaitState, int | None, float | None]] = []
        self.tools: list[tuple[str, str]] = []
        self.comments = 0
        self.endings: list[Ending] = []
        self.aborts = 0
        self.unread = 0
        self.stalled = 0.0

    @property
    def text(self) -> str:
        """The content so far."""
        return "".join(self.texts)

    @property
    def ending(self) -> Ending | None:
        """How the answer ended, or None."""
        return self.endings[-1] if self.endings else None

    @property
    def ended(self) -> bool:
        """Whether nothing may follow."""
        return bool(self.endings) or self.aborts > 0

    def content(self, text: str) -> int:
        """See `AnswerSink.content`."""
        assert not self.ended
        self.texts.append(text)
        return self.unread

    def thinking(self, text: str) -> int:
        """See `AnswerSink.thinking`."""
        assert not self.ended
        self.thoughts.append(text)
        return self.unread

    def waiting(self, state: WaitState, position: int | None, eta_seconds: float | None) -> None:
        """See `AnswerSink.waiting`."""
        assert not self.ended
        self.waits.append((state, position, eta_seconds))

    def tool_call(self, name: str, status: str) -> None:
        """See `AnswerSink.tool_call`."""
        assert not self.ended
        self.tools.append((name, status))

    def comment(self) -> None:
        """See `AnswerSink.comment`."""
        assert not self.ended
        self.comments += 1

    def end(self, ending: Ending) -> None:
        """See `AnswerSink.end`."""
        assert not self.ended
        self.endings.append(ending)

    def abort(self) -> None:
        """See `AnswerSink.abort`."""
        self.aborts += 1

    def stalled_seconds(self, now: float) -> float:
        """See `AnswerSink.stalled_seconds`."""
        return self.stalled
