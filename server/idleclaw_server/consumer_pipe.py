"""Bytes on their way to one consumer: a buffer, and the transport it is emptied into.

Waking the handler's task for every piece would cost more than everything else the router does
with it. So the buffer is written to the transport by a plain callback, once in each turn of the
event loop, and the handler only waits for the end.
"""

import asyncio
from typing import Final

_HIGH_WATER_BYTES: Final = 16_384
_LOOK_AGAIN_SECONDS: Final = 0.02


class ConsumerPipe:
    """Collects pieces and writes them as chunks of HTTP/1.1 (RFC 9112, section 7.1).

    While more than 16 KiB wait in the transport nothing is written to it: pieces pile up here,
    where the core sees how many bytes wait and cuts the consumer off above its limit.
    """

    __slots__ = (
        "_chunked",
        "_ended",
        "_flushed",
        "_loop",
        "_parts",
        "_scheduled",
        "_size",
        "_stuck_bytes",
        "_stuck_since",
        "_transport",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0
        self._transport: asyncio.Transport | None = None
        self._chunked = True
        self._scheduled = False
        self._ended = False
        self._flushed: asyncio.Future[None] = loop.create_future()
        self._stuck_bytes = 0
        self._stuck_since: float | None = None

    def push(self, data: bytes) -> int:
        """Queue a piece; return the bytes that wait here."""
        self._parts.append(data)
        self._size += len(data)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)
        return self._size

    def start(self, transport: asyncio.Transport, *, chunked: bool) -> None:
        """Begin to write; the head of the response must be out.

        Without `chunked` (HTTP/1.0) the body is the bytes as they are, up to the connection's end.
        """
        self._transport = transport
        self._chunked = chunked
        self._flush()

    def end(self) -> None:
        """Nothing more will be pushed."""
        self._ended = True
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def abort(self) -> None:
        """Drop what waits and cut the connection."""
        self._parts.clear()
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
        if not self._flushed.done():
            self._flushed.set_result(None)

    async def flushed(self) -> None:
        """Wait until everything up to the end was handed to the transport."""
        await self._flushed

    def stalled_seconds(self, now: float) -> float:
        """Return for how long the consumer has taken nothing although something waits."""
        return 0.0 if self._stuck_since is None else now - self._stuck_since

    def _flush(self) -> None:
        self._scheduled = False
        transport = self._transport
        if transport is None:
            return
        if self._stuck_since is not None and self._is_stuck(transport):
            return
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            if not transport.is_closing():
                if self._chunked:
                    data = b"%x\r\n%b\r\n" % (len(data), data)
                transport.write(data)
                waiting = transport.get_write_buffer_size()
                if waiting > _HIGH_WATER_BYTES:
                    self._stuck_bytes = waiting
                    self._stuck_since = self._loop.time()
        if self._ended and not self._parts and not self._flushed.done():
            self._flushed.set_result(None)

    def _is_stuck(self, transport: asyncio.Transport) -> bool:
        """Look whether the transport has room again; while it has none, come back soon."""
        waiting = transport.get_write_buffer_size()
        if waiting <= _HIGH_WATER_BYTES or transport.is_closing():
            self._stuck_since = None
            return False
        if waiting < self._stuck_bytes:
            self._stuck_bytes = waiting
            self._stuck_since = self._loop.time()
        self._scheduled = True
        self._loop.call_later(_LOOK_AGAIN_SECONDS, self._flush)
        return True
