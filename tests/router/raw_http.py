"""Bytes on a TCP connection, for peers that do not keep to HTTP or do not read."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from tests.router.consumer import body

_PATIENCE_SECONDS = 10


class RawPeer:
    """A connection that takes from its socket only what a test asks for."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        await self._loop.sock_sendall(self._raw, data)

    async def receive(self) -> bytes:
        """Return what comes next, b"" where the peer has closed or reset."""
        try:
            with anyio.fail_after(_PATIENCE_SECONDS):
                return await self._loop.sock_recv(self._raw, 65_536)
        except ConnectionError:
            return b""

    async def until_closed(self) -> bytes:
        """Read until the peer closes or resets; return what came."""
        received = b""
        while data := await self.receive():
            received += data
        return received


@asynccontextmanager
async def tcp(
    url: str, address: str = "127.0.0.1", *, receive_buffer: int | None = None
) -> AsyncIterator[RawPeer]:
    """A connection from an address; `receive_buffer` bytes is how much the kernel takes for it."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as raw:
        raw.setblocking(False)
        raw.bind((address, 0))
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
        yield RawPeer(raw)


def chat_request(prompt: str = "hi", version: str = "1.1") -> bytes:
    """Return the bytes of a chat."""
    return posted(json.dumps(body(prompt)).encode(), version)


def posted(raw: bytes, version: str = "1.1") -> bytes:
    """Return the bytes of a request with that body."""
    head = (
        f"POST /api/chat HTTP/{version}\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw
