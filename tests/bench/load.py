"""The load: nodes and consumers on raw sockets, as cheap as Python can make them.

One `Stream` is one answer: its node's side sends chunks, its consumer's side counts what arrives.
A chunk is sent alone, in one write, as a real node sends it. Two ways of sending: `window` chunks
in flight, the next one when one arrived (saturated), or one each `interval` seconds.
"""

import asyncio
import json
import struct
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, cast

EVENT: Final = b"data: {"
TOKEN: Final = " token"


class Stream:
    """The state of one answer: when its chunks were sent, and how long each was on its way."""

    def __init__(self, send: Callable[[], None] | None = None) -> None:
        self.send = send
        self.sent_at: deque[float] = deque()
        self.latencies: list[float] = []
        self.received = 0
        self.first_at: float | None = None
        self.first = asyncio.get_running_loop().create_future()
        self.running = False
        self.window = 0

    def start(self, window: int) -> None:
        """Begin to send with `window` chunks in flight; 0 waits for somebody to call `tick`."""
        self.running = True
        self.window = window
        for _ in range(window):
            self.tick()

    def tick(self) -> None:
        """Send one chunk."""
        if self.running and self.send is not None:
            self.sent_at.append(perf_counter())
            self.send()

    def arrived(self, count: int) -> None:
        """Count chunks that the consumer got, and send as many again."""
        now = perf_counter()
        if self.first_at is None:
            self.first_at = now
            self.first.set_result(None)
        self.received += count
        for _ in range(min(count, len(self.sent_at))):
            self.latencies.append(now - self.sent_at.popleft())
            if self.window:
                self.tick()


class Consumer(asyncio.Protocol):
    """The consumer's side: sends `opening`, then counts events."""

    def __init__(self, stream: Stream, opening: bytes) -> None:
        self.stream = stream
        self.opening = opening
        self.ready = asyncio.get_running_loop().create_future()
        self.on_lost: Callable[[], object] = lambda: None
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.opening)

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.ready.set_result(data)
        seen = self._tail + data
        self._tail = seen[-len(EVENT) + 1 :]
        count = seen.count(EVENT)
        if count:
            self.stream.arrived(count)

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_lost()
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before an answer"))


class PlainNode(asyncio.Protocol):
    """The node's side of a stream through the plain relay."""

    def __init__(self, stream: Stream, name: str, payload: bytes) -> None:
        """`name` pairs this side with the consumer of the same stream."""
        self._opening = f"node {name}\n".encode()
        self._payload = payload
        self._stream = stream
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._opening)

    def data_received(self, data: bytes) -> None:
        self.ready.set_result(None)
        self._stream.send = lambda: self.transport.write(self._payload)


class Node(asyncio.Protocol):
    """A node of a router: registers, and turns each request into a `Stream` to send on."""

    def __init__(self, name: str, model: str, slots: int, on_request: "OnRequest") -> None:
        self._name = name
        self._model = model
        self._slots = slots
        self._on_request = on_request
        self._buffer = b""
        self._upgraded = False
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            b"GET /ws/node HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._upgraded = True
            self._register()
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == 9:
                self.transport.write(masked(payload, opcode=10))
            elif opcode == 1:
                self._read(json.loads(payload))

    def beat(self) -> None:
        """Send a heartbeat."""
        self.transport.write(
            masked(json.dumps({"type": "heartbeat", "node_id": self._name}).encode())
        )

    def chunk(self, request_id: str, content: str = TOKEN) -> bytes:
        """Return the frame of one chunk for a request."""
        chunk = {"message": {"role": "assistant", "content": content}, "done": False}
        frame = {"type": "inference_chunk", "request_id": request_id, "chunk": chunk}
        return masked(json.dumps(frame, separators=(",", ":")).encode())

    def _register(self) -> None:
        frame = {
            "type": "register",
            "node_id": self._name,
            "models": [{"name": self._model, "size": 1_000_000}],
            "max_concurrent": self._slots,
            "ollama_version": "0.33.0",
        }
        self.transport.write(masked(json.dumps(frame).encode()))

    def _read(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "registered":
            self.ready.set_result(None)
        elif frame["type"] == "inference_request":
            messages = frame["ollama_params"]["messages"]
            self._on_request(self, frame["request_id"], messages[-1]["content"])

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length == 126:
            if len(buffer) < 4:
                return None
            length, start = struct.unpack(">H", buffer[2:4])[0], 4
        elif length == 127:
            if len(buffer) < 10:
                return None
            length, start = struct.unpack(">Q", buffer[2:10])[0], 10
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 0x0F, buffer[start : start + length]


OnRequest = Callable[[Node, str, str], None]
"""Called with the node, the request id and the last message's text."""


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """Return a client's frame whose mask is zero: legal, and it costs the sender nothing."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
    else:
        head = struct.pack(">BBH", 0x80 | opcode, 0xFE, length)
    return head + b"\0\0\0\0" + payload
