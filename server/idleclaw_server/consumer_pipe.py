"""Bytes on their way to one consumer: a buffer, and the transport it is emptied into.

Waking the handler's task for every piece would cost more than everything else the router does
with it. So pieces go to the transport at once while the consumer keeps up, by a plain callback
where it does not, and the handler only waits for the end.
"""

import asyncio
from typing import Final

from idleclaw_server.http_chunks import as_chunk

_HIGH_WATER_BYTES: Final = 16_384
_BURST_SECONDS: Final = 0.000_3
_LOOK_AGAIN_SECONDS: Final = 0.02


class ConsumerPipe:
    """Collects pieces and writes them as chunks of HTTP/1.1.

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
        "_written_at",
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
        self._written_at = 0.0
        self._stuck_bytes = 0
        self._stuck_since: float | None = None

    def push(self, data: bytes) -> int:
        """Write a piece, or queue it where the consumer is behind; return the bytes queued here.

        A piece that follows another closely is queued too: it is probably one of a burst, whose
        pieces cost least when they are joined.
        """
        transport, now = self._transport, self._loop.time()
        if (
            transport is not None
            and not self._parts
            and now - self._written_at > _BURST_SECONDS
            and not transport.is_closing()
            and transport.get_write_buffer_size() <= _HIGH_WATER_BYTES
        ):
            self._written_at = now
            transport.write(self._framed(data))
            return 0
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
        self._finish()

    async def flushed(self) -> None:
        """Wait until the operating system has everything up to the end, or the connection is cut.

        What is left in a buffer of this process when it exits would be lost.
        """
        await self._flushed

    def stalled_seconds(self, now: float) -> float:
        """Return for how long the consumer has taken nothing although something waits."""
        return 0.0 if self._stuck_since is None else now - self._stuck_since

    def _flush(self) -> None:
        self._scheduled = False
        transport = self._transport
        if transport is None:
            return
        if transport.is_closing():
            self._parts.clear()
            self._finish()
            return
        if self._parts and transport.get_write_buffer_size() <= _HIGH_WATER_BYTES:
            data = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._written_at = self._loop.time()
            transport.write(self._framed(data))
        if self._parts or self._ended:
            self._follow(transport)
        else:
            self._stuck_since = None

    def _framed(self, data: bytes) -> bytes:
        return as_chunk(data) if self._chunked else data

    def _follow(self, transport: asyncio.Transport) -> None:
        """Watch what waits for a slow consumer shrink, and come back soon while some is left."""
        waiting = transport.get_write_buffer_size()
        if not waiting and not self._parts:
            self._finish()
            return
        if self._stuck_since is None or waiting < self._stuck_bytes:
            self._stuck_since = self._loop.time()
        self._stuck_bytes = waiting
        self._scheduled = True
        self._loop.call_later(_LOOK_AGAIN_SECONDS, self._flush)

    def _finish(self) -> None:
        self._stuck_since = None
        if self._ended and not self._flushed.done():
            self._flushed.set_result(None)
