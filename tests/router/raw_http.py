"""Bytes on a TCP connection, for peers that do not keep to HTTP or do not read."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketStream

from tests.router.consumer import body


@asynccontextmanager
async def tcp(url: str, *, receive_buffer: int | None = None) -> AsyncIterator[SocketStream]:
    """A connection; `receive_buffer` bytes is how much a peer that does not read takes."""
    host, port = url.removeprefix("http://").split(":")
    raw = socket.socket()
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await anyio.to_thread.run_sync(_connect, raw, host, int(port))
    async with await SocketStream.from_socket(raw) as stream:
        yield stream


def chat_request(prompt: str = "hi", version: str = "1.1") -> bytes:
    """Return the bytes of a chat."""
    raw = json.dumps(body(prompt)).encode()
    head = (
        f"POST /api/chat HTTP/{version}\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


async def until_closed(stream: SocketStream, within: float = 5) -> bytes:
    """Read until the peer closes or resets; return what came."""
    received = b""
    with anyio.fail_after(within):
        try:
            async for data in stream:
                received += data
        except anyio.BrokenResourceError:
            pass
    return received


def _connect(raw: socket.socket, host: str, port: int) -> None:
    raw.setblocking(True)
    raw.connect((host, port))
    raw.setblocking(False)
