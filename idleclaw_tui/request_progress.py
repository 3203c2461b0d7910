"""How one relayed request goes on, as the events that a contributor sees: numbers, never text."""

from typing import Final

from idleclaw_protocol.frames import Chunk
from idleclaw_tui.node_events import RequestChanged, RequestState

REPORT_INTERVAL_SECONDS: Final = 0.25
"""While a request streams, it is reported at most this often."""


class RequestProgress:
    """Counts the pieces of one answer; `now` is always monotonic time in seconds.

    A `queued` one waits for Ollama to end others first, as far as the node can tell.
    """

    def __init__(
        self, number: int, model: str, *, now: float, wall: float, queued: bool = False
    ) -> None:
        self._number = number
        self._model = model
        self._began = now
        self._started_at = wall
        self._state: RequestState = "queued" if queued else "loading"
        self._first_token_at: float | None = None
        self._reported_at = now
        self._chunks = 0
        self._last: Chunk | None = None

    @property
    def answer_tokens(self) -> int:
        """Tokens of the answer so far."""
        counted = self._last.eval_count if self._last else None
        return self._chunks if counted is None else counted

    def seconds_left(self, now: float, usual_tokens: float) -> float | None:
        """Return how long the answer will go on, None before it streams.

        What is left of an answer is taken to be as long as answers are, `usual_tokens`: how much
        there is already says little about how much there will be.
        """
        speed = self._speed(now)
        return usual_tokens / speed if speed else None

    def report(self, now: float, error: str | None = None) -> RequestChanged:
        """Return how things stand."""
        self._reported_at = now
        last = self._last
        return RequestChanged(
            number=self._number,
            model=self._model,
            state=self._state,
            started_at=self._started_at,
            seconds=max(0.0, now - self._began),
            prompt_tokens=last.prompt_eval_count if last else None,
            answer_tokens=self.answer_tokens,
            tokens_per_second=self._speed(now),
            error=error,
        )

    def chunk(self, chunk: Chunk, now: float) -> RequestChanged | None:
        """Count one piece; return an event for the first one, and then four times a second."""
        if chunk.done:
            self._last = chunk
        if not (chunk.message.content or chunk.message.thinking or chunk.message.tool_calls):
            return None
        self._chunks += 1
        if self._first_token_at is None:
            self._first_token_at = now
            self._state = "streaming"
            return self.report(now)
        return self.report(now) if now - self._reported_at >= REPORT_INTERVAL_SECONDS else None

    def end(self, state: RequestState, now: float, error: str | None = None) -> RequestChanged:
        """Return the last event of the request."""
        self._state = state
        return self.report(now, error)

    def _speed(self, now: float) -> float | None:
        """Tokens a second: Ollama's own figures once there are any, until then those measured."""
        if self._last is not None and self._last.eval_count and self._last.eval_duration:
            return self._last.eval_count / self._last.eval_duration * 1e9
        if self._first_token_at is None or now <= self._first_token_at:
            return None
        return (self._chunks - 1) / (now - self._first_token_at)
