"""One registered connection to the router: its requests, its heartbeats, its end."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from websockets.exceptions import ConnectionClosed

from idleclaw_protocol.frames import DECLINE, DeclineReason, Frame, Heartbeat, Register
from idleclaw_protocol.limits import MAX_LOADED_MODELS
from idleclaw_tui.link_notices import LinkNotice
from idleclaw_tui.node_events import LinkChanged, NodeEvent
from idleclaw_tui.node_options import NodeOptions
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.pauses import Pause
from idleclaw_tui.request_intake import RequestIntake
from idleclaw_tui.request_relay import RequestRelay
from idleclaw_tui.request_table import CancelCause, RequestTable
from idleclaw_tui.router_link import RouterLink, close_link, closed_notice
from idleclaw_tui.session_pause import SessionPause
from idleclaw_tui.suspend_watch import SuspendWatch

_LEFT: Final = "This router cannot be told of a pause, so the node left it until the pause is over."


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """Why a session is over.

    closed: by the router, or the connection broke; drained: as asked for; paused: the router cannot
    be told of a pause; renewed: something else is to be registered; slept: the machine was
    suspended; stalled: the socket takes nothing more. `notice` says it in words where there is
    something to say.
    """

    cause: Literal["closed", "drained", "paused", "renewed", "slept", "stalled"]
    notice: LinkNotice | None = None


class NodeSession:
    """Serves the requests of one connection until it ends, is drained, or is cancelled.

    `registered` is what was offered on it; `numbers` counts requests over all sessions. It begins
    with `pause`, where there is one.
    """

    def __init__(
        self,
        link: RouterLink,
        registered: Register,
        bridge: OllamaBridge,
        options: NodeOptions,
        *,
        numbers: Iterator[int],
        emit: Callable[[NodeEvent], None],
        pause: Pause | None = None,
    ) -> None:
        self._websocket = link.websocket
        self._features = link.features
        self._registered = registered
        self._bridge = bridge
        self._options = options
        self._clock = options.clock
        self._emit = emit
        self._drain = asyncio.Event()
        self._renewing = False
        self._beat_now = asyncio.Event()
        self._models_doubtful = asyncio.Event()
        self._table = RequestTable(options.max_concurrent)
        self._pause = SessionPause(self._table, options.timing, options.clock)
        self._intake = RequestIntake(
            self._table,
            RequestRelay(bridge, self._send, link.features, emit, options.clock),
            {model.name: model for model in registered.models},
            link.features,
            options,
            numbers=numbers,
            send_frame=self._send_frame,
            emit=emit,
            on_failure=self._models_doubtful.set,
        )
        self._ollama_trouble: str | None = None
        self.obey(pause)

    @property
    def active(self) -> int:
        """How many requests run."""
        return self._table.active

    def drain(self) -> None:
        """Take no new request, tell the router so, and end once the running ones have."""
        self._drain.set()
        self._decline()
        self._beat_now.set()

    def obey(self, pause: Pause | None) -> None:
        """Take no new request while there is a pause, and tell the router at once."""
        if self._pause.obey(pause):
            self._decline()
            self._beat_now.set()

    def change(self, options: NodeOptions) -> None:
        """Take other options; what changes what is offered is registered anew."""
        self._options = options
        self._intake.limits = options.limits
        self._table.limit = options.max_concurrent
        self._models_doubtful.set()
        self._beat_now.set()

    async def run(self) -> SessionEnd:
        """Return why the session ended; by then no request runs and the connection is closed.

        Cancelling stops all requests at once.
        """
        parts = [
            asyncio.create_task(part())
            for part in (
                self._read,
                self._watch,
                self._rediscover,
                self._drained,
                self._hand_off,
                self._paused,
            )
        ]
        cause: CancelCause = "owner"
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            cause = "link_lost"
            end = next(part for part in parts if part.done()).result()
            if end.cause == "stalled":
                self._websocket.transport.abort()
            return end
        finally:
            self._drain.set()
            self._decline()
            for part in parts:
                part.cancel()
            self._table.cancel_all(cause)
            if cause == "owner":
                await self._give_back()
            await close_link(self._websocket, self._options.timing)
            await self._table.wait_empty()
            await asyncio.wait(parts)

    async def _read(self) -> SessionEnd:
        try:
            while True:
                await self._intake.take(await self._websocket.recv(decode=False))
        except ConnectionClosed as error:
            return SessionEnd("closed", closed_notice(error))

    async def _watch(self) -> SessionEnd:
        timing = self._options.timing
        suspend = SuspendWatch(self._clock.monotonic(), self._clock.wall())
        next_beat = self._clock.monotonic() + timing.heartbeat
        while True:
            asked = await _set_within(self._beat_now, min(timing.look, timing.heartbeat))
            now = self._clock.monotonic()
            if suspend.slept(now, self._clock.wall()):
                text = "This machine was asleep. Connecting again."
                return SessionEnd("slept", LinkNotice("waiting", text))
            if not asked and now < next_beat:
                continue
            next_beat = now + timing.heartbeat
            try:
                await self._beat(at_once=asked)
            except ConnectionClosed as error:
                return SessionEnd("closed", closed_notice(error))
            except TimeoutError:
                text = "The router takes nothing more from this node."
                return SessionEnd("stalled", LinkNotice("waiting", text))

    async def _beat(self, *, at_once: bool) -> None:
        """Tell the router how things stand; `at_once` without asking Ollama first."""
        loaded = None if at_once else await self._loaded()
        reason = self._reason()
        heartbeat = Heartbeat(
            node_id=self._registered.node_id,
            active_requests=self._table.active,
            available=reason is None,
            reason=reason,
            max_concurrent=min(self._options.max_concurrent, self._registered.max_concurrent),
            loaded=loaded,
        )
        async with asyncio.timeout(self._options.timing.stall):
            await self._send_frame(heartbeat)

    async def _loaded(self) -> tuple[str, ...] | None:
        try:
            models = (await self._bridge.loaded())[:MAX_LOADED_MODELS]
        except OllamaFailure as failure:
            self._note_trouble(failure.message)
            return None
        self._note_trouble(None)
        return tuple(model.name for model in models)

    def _reason(self) -> str | None:
        if self._pause.now is not None and not self._drain.is_set():
            return self._pause.now.reason
        return self._intake.declining or ("ollama_unavailable" if self._ollama_trouble else None)

    def _decline(self) -> None:
        """Say no to new requests for the weightiest reason, or for none."""
        reason: DeclineReason | None = "busy" if self._renewing else None
        if self._pause.now is not None:
            reason = self._pause.now.decline
        self._intake.declining = "paused" if self._drain.is_set() else reason

    def _note_trouble(self, trouble: str | None) -> None:
        if trouble != self._ollama_trouble and self._intake.declining is None:
            self._emit(LinkChanged("connected", trouble))
        self._ollama_trouble = trouble

    async def _rediscover(self) -> SessionEnd:
        timing = self._options.timing
        while True:
            await _set_within(self._models_doubtful, timing.discovery)
            if await self._offers_something_else():
                return await self._renew()
            await asyncio.sleep(timing.discovery_pause)

    async def _offers_something_else(self) -> bool:
        if self._options.max_concurrent > self._registered.max_concurrent:
            return True
        try:
            models = await self._bridge.models(
                self._options.models, self._options.limits.context_tokens
            )
        except OllamaFailure:
            return False
        return models != self._registered.models

    async def _renew(self) -> SessionEnd:
        """End at a moment when nothing runs; a router that knows how is asked to wait with more."""
        if DECLINE in self._features:
            self._renewing = True
            self._decline()
            self._beat_now.set()
        await self._table.wait_empty()
        self._renewing = True
        self._decline()
        return SessionEnd("renewed")

    async def _hand_off(self) -> SessionEnd:
        await self._pause.hand_off()
        raise AssertionError("giving requests back has no end of its own")

    async def _paused(self) -> SessionEnd:
        """Leave a router that cannot be told of a pause: it would count refusals as faults."""
        if DECLINE in self._features:
            await asyncio.Event().wait()
        await self._pause.left()
        return SessionEnd("paused", LinkNotice("waiting", _LEFT))

    async def _give_back(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.timing.goodbye):
                await self._table.wait_empty()

    async def _drained(self) -> SessionEnd:
        await self._drain.wait()
        await self._table.wait_empty()
        return SessionEnd("drained")

    async def _send_frame(self, frame: Frame) -> None:
        await self._send(frame.to_json().encode())

    async def _send(self, data: bytes) -> None:
        await self._websocket.send(data, text=True)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most `seconds`; return whether it was set, and clear it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    was_set = event.is_set()
    event.clear()
    return was_set
