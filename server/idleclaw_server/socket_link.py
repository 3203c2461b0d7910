"""The way to a node: a bounded queue of frames in front of its socket."""

import asyncio
from collections import deque
from typing import Final, Literal

from aiohttp import WSMsgType, web

from idleclaw_protocol.frame_reading import POLICY_VIOLATION
from idleclaw_protocol.limits import MAX_CONCURRENT, MAX_FRAME_BYTES

_MAX_UNSENT_BYTES: Final = 2 * MAX_CONCURRENT * MAX_FRAME_BYTES


class NodeSocket(web.WebSocketResponse[Literal[False]]):
    """The socket of a node, whose text messages are bytes."""

    def _on_data_received(self) -> None:
        # What still arrives after the close would arm the timer of the next ping again (aiohttp
        # 3.14), which keeps all that belongs to the connection in memory until then.
        if not self.closed:
            super()._on_data_received()


class SocketLink:
    """The `NodeLink` of a node on a socket of this router.

    Frames wait in a queue for a node that does not read. It holds twice what the largest requests
    on all of its slots can be; above that the connection is cut. A close that is not through
    after `close_seconds` ends in a cut as well, so nothing waits longer for a peer that is gone.
    A task exists only while something is to be sent.
    """

    __slots__ = (
        "_close",
        "_close_seconds",
        "_cut_timer",
        "_frames",
        "_sender",
        "_socket",
        "_transport",
        "_unsent",
    )

    def __init__(
        self, socket: NodeSocket, transport: asyncio.Transport | None, close_seconds: float
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._close_seconds = close_seconds
        self._frames: deque[bytes] = deque()
        self._unsent = 0
        self._close: tuple[int, bytes] | None = None
        self._cut_timer: asyncio.TimerHandle | None = None
        self._sender: asyncio.Task[None] | None = None

    def send(self, frame: bytes) -> None:
        """See `NodeLink.send`."""
        if self._close is not None:
            return
        self._frames.append(frame)
        self._unsent += len(frame)
        if self._unsent > _MAX_UNSENT_BYTES:
            self.close(POLICY_VIOLATION, "not reading")
            self._cut()
        else:
            self._wake()

    def close(self, code: int, reason: str) -> None:
        """See `NodeLink.close`."""
        if self._close is None:
            self._close = (code, reason.encode())
            loop = asyncio.get_running_loop()
            self._cut_timer = loop.call_later(self._close_seconds, self._cut)
            self._wake()

    async def closed(self) -> None:
        """Close, if nobody has, and wait until that is through or given up."""
        self.close(1000, "")
        if self._sender is not None:
            await asyncio.wait([self._sender])
        if self._cut_timer is not None:
            self._cut_timer.cancel()
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._cut()

    def _cut(self) -> None:
        self._frames.clear()
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._frames:
                frame = self._frames.popleft()
                await self._socket.send_frame(frame, WSMsgType.TEXT)
                self._unsent -= len(frame)
            if self._close is not None:
                code, reason = self._close
                await self._socket.close(code=code, message=reason)
        except (ConnectionError, RuntimeError):
            # The reader of the same socket sees the loss and reports it to the core.
            self._frames.clear()
