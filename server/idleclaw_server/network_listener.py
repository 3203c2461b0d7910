"""One listener to the network's events: how far it is, and the transport it is written to."""

import asyncio
from typing import Final

from idleclaw_server.network_log import NetworkLog

HIGH_WATER_BYTES: Final = 65_536
"""While more than this waits in the transport, nothing is added to it."""


class NetworkListener:
    """Is brought up to date from the log it shares with all others; it has no buffer of its own.

    `number` is that of the last event it was sent. Without `chunked` (HTTP/1.0) the body is the
    bytes as they are, up to the connection's end.
    """

    __slots__ = ("_chunked", "_ended", "_number", "_stuck_since", "_transport")

    def __init__(self, transport: asyncio.Transport, number: int, *, chunked: bool) -> None:
        self._transport = transport
        self._number = number
        self._chunked = chunked
        self._stuck_since: float | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ended(self) -> None:
        """Wait until the stream is over from this side."""
        await self._ended

    def end(self) -> None:
        """Let the stream end in good order."""
        if not self._ended.done():
            self._ended.set_result(None)

    def catch_up(self, log: NetworkLog, now: float, patience: float) -> None:
        """Send what is new, unless too much of what came before still waits to be taken.

        After `patience` seconds of that, or where the log has forgotten what this listener
        missed, the connection is cut: it can come back and resume, or begin anew.
        """
        if self._number == log.number or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > HIGH_WATER_BYTES:
            if self._stuck_since is None:
                self._stuck_since = now
            elif now - self._stuck_since > patience:
                self._cut()
            return
        self._stuck_since = None
        missed = log.after(self._number)
        if missed is None:
            self._cut()
            return
        self._number = log.number
        parts = [event.chunk if self._chunked else event.data for event in missed]
        self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def comment(self, data: bytes, chunk: bytes) -> None:
        """Break a silence; who has yet to take something needs no comment."""
        if not self._transport.is_closing() and not self._transport.get_write_buffer_size():
            self._transport.write(chunk if self._chunked else data)

    def _cut(self) -> None:
        self._transport.abort()
        self.end()
