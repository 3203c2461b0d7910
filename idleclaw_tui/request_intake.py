"""What the router sends on one connection: each frame is taken, refused or passed over."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from idleclaw_protocol.frame_reading import FrameError, read_object, read_router_frame
from idleclaw_protocol.frames import (
    CancelRequest,
    DeclineReason,
    Frame,
    InferenceDecline,
    InferenceError,
    InferenceRequest,
    OfferedModel,
)
from idleclaw_protocol.limits import MAX_REQUEST_ID_CHARS
from idleclaw_tui.node_events import NodeEvent
from idleclaw_tui.node_options import NodeOptions
from idleclaw_tui.relay_guard import GuardedRequest, RelayRefused, guard_request
from idleclaw_tui.request_progress import RequestProgress
from idleclaw_tui.request_relay import RequestRelay, refusal
from idleclaw_tui.request_table import RequestTable, RunningRequest

logger = logging.getLogger(__name__)

USUAL_TOKENS: Final = 250.0
"""The length of an answer, until some have been seen."""

REFUSAL_REPORT_SECONDS: Final = 0.25
"""Refused requests are reported at most this often: a router may send any number of them."""


class RequestIntake:
    """Starts the requests that may run, in `table`, and answers the others.

    Frames that cannot be understood are passed over, one that asks for something is answered with
    an error; neither touches other requests. `declining` is why no request is taken at all, where
    that is so; `on_failure` is called when Ollama failed one.
    """

    def __init__(
        self,
        table: RequestTable,
        relay: RequestRelay,
        offered: Mapping[str, OfferedModel],
        features: frozenset[str],
        options: NodeOptions,
        *,
        numbers: Iterator[int],
        send_frame: Callable[[Frame], Awaitable[None]],
        emit: Callable[[NodeEvent], None],
        on_failure: Callable[[], None],
    ) -> None:
        self.declining: DeclineReason | None = None
        self.limits = options.limits
        self._table = table
        self._relay = relay
        self._offered = offered
        self._features = features
        self._clock = options.clock
        self._numbers = numbers
        self._send_frame = send_frame
        self._emit = emit
        self._on_failure = on_failure
        self._usual_tokens = USUAL_TOKENS
        self._refusal_reported_at = float("-inf")
        self._complained = False

    async def take(self, data: bytes) -> None:
        """Deal with one frame; waits where the socket takes no answer."""
        try:
            frame = read_router_frame(data)
        except FrameError as error:
            await self._answer_unreadable(data, error)
            return
        match frame:
            case InferenceRequest():
                await self._take_request(frame)
            case CancelRequest():
                self._table.cancel(frame.request_id)
            case _:
                return

    async def _take_request(self, frame: InferenceRequest) -> None:
        if frame.request_id in self._table:
            # An error under its id would end the request that runs.
            self._complain("the router sent a request under the id of a running one")
            return
        reason = self.declining or ("busy" if self._table.is_full else None)
        if reason is not None:
            declined = refusal(frame.request_id, self._features, reason, "ollama_unavailable")
            await self._refuse(frame, declined, None)
            return
        try:
            request = guard_request(frame.ollama_params, self._offered, self.limits)
        except RelayRefused as refused:
            if refused.decline is None:
                no: Frame = InferenceError(request_id=frame.request_id, error=refused.code)
            else:
                no = refusal(frame.request_id, self._features, refused.decline, refused.code)
            await self._refuse(frame, no, refused.message)
            return
        self._start(frame.request_id, request)

    def _start(self, request_id: str, request: GuardedRequest) -> None:
        progress = self._progress(request.model, queued=self._table.active > 0)

        async def serve(running: RunningRequest) -> None:
            ending = await self._relay.serve(running, request, progress)
            if ending.state == "done":
                self._usual_tokens += 0.2 * (progress.answer_tokens - self._usual_tokens)
            elif ending.state in ("declined", "failed") and running.cancelled is None:
                self._on_failure()

        self._table.start(
            request_id, serve, lambda now: progress.seconds_left(now, self._usual_tokens)
        )

    async def _refuse(self, frame: InferenceRequest, answer: Frame, error: str | None) -> None:
        now = self._clock.monotonic()
        if now - self._refusal_reported_at >= REFUSAL_REPORT_SECONDS:
            self._refusal_reported_at = now
            name = frame.ollama_params.get("model")
            known = isinstance(name, str) and name in self._offered
            progress = self._progress(str(name) if known else "unknown model")
            declined = error is None or isinstance(answer, InferenceDecline)
            self._emit(progress.end("declined" if declined else "failed", now, error))
        await self._send_frame(answer)

    async def _answer_unreadable(self, data: bytes, error: FrameError) -> None:
        """Refuse a request that has an id and nothing else that could be understood."""
        self._complain(f"the router sent a frame that cannot be read: {error.reason}")
        frame: dict[str, Any] = {}
        with suppress(FrameError):
            frame = read_object(data)
        request_id = frame.get("request_id")
        if (
            frame.get("type") == "inference_request"
            and isinstance(request_id, str)
            and 0 < len(request_id) <= MAX_REQUEST_ID_CHARS
            and request_id not in self._table
        ):
            await self._send_frame(InferenceError(request_id=request_id, error="invalid_request"))

    def _progress(self, model: str, *, queued: bool = False) -> RequestProgress:
        now, wall = self._clock.monotonic(), self._clock.wall()
        return RequestProgress(next(self._numbers), model, now=now, wall=wall, queued=queued)

    def _complain(self, what: str) -> None:
        """Log the first oddity of a connection; a hostile router could fill the disk with more."""
        if not self._complained:
            self._complained = True
            logger.warning("%s", what)
