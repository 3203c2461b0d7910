"""`GET /api/network/events`: one stream of changes, made once and shared by all who listen."""

import asyncio
import logging
import secrets
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from idleclaw_server.http_chunks import as_chunk
from idleclaw_server.network_listener import NetworkListener
from idleclaw_server.network_log import NetworkEvent, NetworkLog
from idleclaw_server.network_status import NetworkStatus
from idleclaw_server.policy import Policy
from idleclaw_server.refusals import refuse
from idleclaw_server.sse import EVENT_STREAM

_COMMENT: Final = b": nothing new\n\n"
_COMMENT_CHUNK: Final = as_chunk(_COMMENT)
_PIECE_BYTES: Final = 32_768
_RETRY_AFTER_SECONDS: Final = 10
_log = logging.getLogger(__name__)


class NetworkEvents:
    """Looks at the network twice a second while somebody listens, and never otherwise.

    A listener costs a number and its socket: it is written to directly, without waking its
    handler. One that takes nothing has events skipped and gets them later; it is cut off when
    that takes too long, or when the events are forgotten. `len()` is how many listen.

    Attributes:
        status: what is looked at.
    """

    def __init__(self, status: NetworkStatus, policy: Policy) -> None:
        self.status = status
        self._policy = policy
        self._listeners: dict[NetworkListener, None] = {}
        self._addresses: dict[str, int] = {}
        self._open = 0
        self._network_log: NetworkLog | None = None
        self._looked_at = 0.0
        self._spoke_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return self._open

    @property
    def looking(self) -> bool:
        """Whether the network will be looked at again without anybody asking."""
        return self._timer is not None

    async def serve(self, request: web.Request, address: str) -> web.StreamResponse:
        """Answer one listener for as long as it stays; `address` is what its bound counts by.

        Answers 429 above the bound of an address, 503 above that of all or while closing.
        """
        if self._closed or self._open >= self._policy.max_listeners:
            return refuse(503, "Too many listeners.", retry_after=_RETRY_AFTER_SECONDS)
        if self._addresses.get(address, 0) >= self._policy.max_listeners_per_address:
            return refuse(429, "Too many listeners.", retry_after=_RETRY_AFTER_SECONDS)
        self._open += 1
        self._addresses[address] = self._addresses.get(address, 0) + 1
        try:
            return await self._stream(request)
        finally:
            self._open -= 1
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def close(self) -> None:
        """End all streams in good order; they can be resumed only while this router lives."""
        self._closed = True
        for listener in list(self._listeners):
            listener.end()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=EVENT_STREAM)
        transport = request.transport
        try:
            await response.prepare(request)
            log = self._fresh_log(asyncio.get_running_loop().time())
            number, first = _beginning(log, request.headers.get(hdrs.LAST_EVENT_ID, ""))
            await self._write(response, first)
            if transport is not None and not self._closed:
                chunked = request.version >= HttpVersion11
                await self._listen(NetworkListener(transport, number, chunked=chunked))
            await response.write_eof()
        except (ConnectionError, TimeoutError):
            # It left between two writes, or did not take the first one: nobody to be told.
            if transport is not None:
                transport.abort()
        return response

    async def _listen(self, listener: NetworkListener) -> None:
        self._listeners[listener] = None
        self._keep_looking()
        try:
            await listener.ended()
        finally:
            del self._listeners[listener]

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        """Write what a listener begins with; in pieces, as a snapshot may be large."""
        for at in range(0, len(data), _PIECE_BYTES):
            async with asyncio.timeout(self._policy.consumer_stall_seconds):
                await response.write(data[at : at + _PIECE_BYTES])

    def _fresh_log(self, now: float) -> NetworkLog:
        if self._network_log is None:
            self._network_log = NetworkLog(secrets.token_hex(4), self.status.at(now))
            self._looked_at = now
        elif now - self._looked_at >= self._policy.network_event_seconds:
            self._look(self._network_log, now)
        return self._network_log

    def _look(self, log: NetworkLog, now: float) -> NetworkEvent | None:
        self._looked_at = now
        return log.publish(self.status.at(now))

    def _keep_looking(self) -> None:
        if self._timer is None and self._listeners:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._policy.network_event_seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._keep_looking()
        log = self._network_log
        if not self._listeners or log is None:
            return
        now = asyncio.get_running_loop().time()
        try:
            told = self._look(log, now) is not None
        except Exception:
            # One defect in what is told must not leave all listeners without a stream.
            _log.exception("the look at the network failed")
            return
        comment = not told and now - self._spoke_at >= self._policy.comment_seconds
        if told or comment:
            self._spoke_at = now
        for listener in list(self._listeners):
            listener.catch_up(log, now, self._policy.consumer_stall_seconds)
            if comment:
                listener.comment(_COMMENT, _COMMENT_CHUNK)


def _beginning(log: NetworkLog, last_event_id: str) -> tuple[int, bytes]:
    """Return up to where the first bytes go, and these: what was missed, or all there is."""
    seen = log.seen(last_event_id)
    missed = None if seen is None else log.after(seen)
    if missed is None:
        return log.number, log.snapshot().data
    return log.number, b"".join([_COMMENT, *(event.data for event in missed)])
