"""Relaying one request: from Ollama's stream to frames on the router's connection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from pydantic_core import to_json
from websockets.exceptions import ConnectionClosed

from idleclaw_protocol.frames import (
    CANCEL_ACK,
    DECLINE,
    DeclineReason,
    Frame,
    InferenceCancelled,
    InferenceDecline,
    InferenceError,
    NodeErrorCode,
)
from idleclaw_protocol.limits import MAX_FRAME_BYTES
from idleclaw_tui import ollama_failures as failures
from idleclaw_tui.clock import Clock
from idleclaw_tui.node_events import NodeEvent, RequestState
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.quiet_logs import log_unexpected
from idleclaw_tui.relay_guard import GuardedRequest
from idleclaw_tui.request_progress import RequestProgress
from idleclaw_tui.request_table import CancelCause, RunningRequest

logger = logging.getLogger(__name__)

Send = Callable[[bytes], Awaitable[None]]
"""Sends one text frame; raises ConnectionClosed, waits while the socket takes no more."""

_GIVEN_BACK = "Handed back to the router: this machine was needed."
_LINK_LOST = "The connection to the router was lost."
_UNEXPECTED = "The request failed in a way the program did not expect. Its log says where."
_DECLINES: dict[failures.Cause, DeclineReason] = {"busy": "busy", "model_gone": "model_gone"}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended: what the owner sees, and the last frame for the router, if any."""

    state: RequestState
    error: str | None = None
    frame: Frame | None = None


def refusal(
    request_id: str, features: frozenset[str], reason: DeclineReason, code: NodeErrorCode
) -> Frame:
    """Return the frame that says no: without blame for routers that know `decline`."""
    if DECLINE in features:
        return InferenceDecline(request_id=request_id, reason=reason)
    return InferenceError(request_id=request_id, error=code)


class RequestRelay:
    """Serves requests of one connection, whose router understands `features`."""

    def __init__(
        self,
        bridge: OllamaBridge,
        send: Send,
        features: frozenset[str],
        emit: Callable[[NodeEvent], None],
        clock: Clock,
    ) -> None:
        self._bridge = bridge
        self._send = send
        self._features = features
        self._emit = emit
        self._clock = clock

    async def serve(
        self, running: RunningRequest, request: GuardedRequest, progress: RequestProgress
    ) -> Ending:
        """Relay the answer, send the last frame, report the end; raises nothing of its own."""
        self._emit(progress.report(self._clock.monotonic()))
        ending = await self._relayed(running, request, progress)
        running.release()
        self._emit(progress.end(ending.state, self._clock.monotonic(), ending.error))
        if ending.frame is not None:
            try:
                await self._send(ending.frame.to_json().encode())
            except ConnectionClosed:
                logger.debug("the connection closed before the end of a request was told")
        return ending

    async def _relayed(
        self, running: RunningRequest, request: GuardedRequest, progress: RequestProgress
    ) -> Ending:
        if running.cancelled is not None:
            return self._cancelled(running.request_id, running.cancelled)
        running.interruptible = True
        try:
            return await self._stream(running, request, progress)
        except OllamaFailure as failure:
            return self._failed(running.request_id, failure)
        except ConnectionClosed:
            return Ending("cancelled", _LINK_LOST)
        except asyncio.CancelledError:
            if running.cancelled is None:
                raise
            return self._cancelled(running.request_id, running.cancelled)
        except Exception as error:
            log_unexpected(logger, "a request", error)
            return Ending("failed", _UNEXPECTED, self._error(running.request_id, "ollama_error"))
        finally:
            running.interruptible = False

    async def _stream(
        self, running: RunningRequest, request: GuardedRequest, progress: RequestProgress
    ) -> Ending:
        request_id = to_json(running.request_id)
        prefix = b'{"type":"inference_chunk","request_id":' + request_id + b',"chunk":'
        async with aclosing(self._bridge.chat(request)) as chunks:
            async for chunk in chunks:
                frame = b"%b%b}" % (prefix, chunk.model_dump_json(exclude_none=True).encode())
                if len(frame) > MAX_FRAME_BYTES:
                    raise OllamaFailure("failed", failures.TOO_LONG)
                if chunk.done:
                    # The router may send the next request the moment it reads this.
                    running.release()
                await self._send(frame)
                event = progress.chunk(chunk, self._clock.monotonic())
                if event is not None:
                    self._emit(event)
        return Ending("done")

    def _cancelled(self, request_id: str, cause: CancelCause) -> Ending:
        match cause:
            case "router":
                known = CANCEL_ACK in self._features
                ack = InferenceCancelled(request_id=request_id) if known else None
                return Ending("cancelled", frame=ack)
            case "link_lost":
                return Ending("cancelled", _LINK_LOST)
            case "owner":
                return Ending("cancelled", "You stopped it.", self._given_back(request_id))
            case _:
                frame = refusal(request_id, self._features, cause, "ollama_unavailable")
                return Ending("declined", _GIVEN_BACK, frame)

    def _given_back(self, request_id: str) -> Frame | None:
        """Let another node have it, where the router can; else the closed connection says it."""
        known = DECLINE in self._features
        reason: DeclineReason = "owner_needs_machine"
        return InferenceDecline(request_id=request_id, reason=reason) if known else None

    def _failed(self, request_id: str, failure: OllamaFailure) -> Ending:
        reason = _DECLINES.get(failure.cause)
        if reason is None:
            return Ending("failed", failure.message, self._error(request_id, failure.code))
        frame = refusal(request_id, self._features, reason, failure.code)
        declined = isinstance(frame, InferenceDecline)
        return Ending("declined" if declined else "failed", failure.message, frame)

    def _error(self, request_id: str, code: NodeErrorCode) -> Frame:
        return InferenceError(request_id=request_id, error=code)
