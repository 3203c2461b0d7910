"""The WebSocket of a node: from frames to calls of the core, and back."""

import asyncio
import logging
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

from idleclaw_protocol.frame_reading import (
    POLICY_VIOLATION,
    FrameError,
    read_heartbeat,
    read_object,
    read_register,
)
from idleclaw_protocol.limits import (
    MAX_FRAME_BYTES,
    PING_INTERVAL_SECONDS,
    REGISTER_TIMEOUT_SECONDS,
)
from idleclaw_server.core import RouterCore
from idleclaw_server.errors import NodeRefused
from idleclaw_server.node import Node

_MAX_UNSENT_BYTES: Final = 4 * MAX_FRAME_BYTES
_CLOSE_SECONDS: Final = 5.0
_REQUEST_FRAMES: Final = frozenset(
    {"inference_chunk", "inference_error", "inference_decline", "inference_cancelled"}
)
_log = logging.getLogger(__name__)

NodeSocket = web.WebSocketResponse[bool]


class SocketLink:
    """The `NodeLink` of a node on a socket of this router.

    Frames wait in a queue of at most 4 MiB for a node that does not read; above it the connection
    is closed. A task exists only while something waits.
    """

    def __init__(self, socket: NodeSocket) -> None:
        self._socket = socket
        self._frames: deque[bytes] = deque()
        self._unsent = 0
        self._close: tuple[int, bytes] | None = None
        self._sender: asyncio.Task[None] | None = None

    def send(self, frame: bytes) -> None:
        """See `NodeLink.send`."""
        if self._close is not None:
            return
        self._frames.append(frame)
        self._unsent += len(frame)
        if self._unsent > _MAX_UNSENT_BYTES:
            self._frames.clear()
            self.close(POLICY_VIOLATION, "not reading")
        else:
            self._wake()

    def close(self, code: int, reason: str) -> None:
        """See `NodeLink.close`."""
        if self._close is None:
            self._close = (code, reason.encode())
            self._wake()

    async def closed(self) -> None:
        """Wait until everything queued was sent or given up."""
        if self._sender is not None:
            await asyncio.wait([self._sender])

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
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._socket.close(code=code, message=reason)
        except (ConnectionError, RuntimeError, TimeoutError):
            # The reader of the same socket sees the loss and reports it to the core.
            self._frames.clear()


async def serve_node(request: web.Request, core: RouterCore) -> web.WebSocketResponse[bool]:
    """Answer `WS /ws/node`: register the node, then pass its frames on until it leaves."""
    socket: NodeSocket = web.WebSocketResponse(
        heartbeat=PING_INTERVAL_SECONDS,
        compress=False,
        max_msg_size=MAX_FRAME_BYTES,
        decode_text=False,
        timeout=_CLOSE_SECONDS,
    )
    await socket.prepare(request)
    link = SocketLink(socket)
    clock = asyncio.get_running_loop().time
    node: Node | None = None
    try:
        node = await _register(socket, link, core)
        if node is not None:
            _log.info("node %s joined with %d models", node.alias, len(node.models))
            await _read_frames(socket, node, core)
    except FrameError as error:
        core.counters.malformed += 1
        link.close(error.code, error.reason)
    except NodeRefused as refusal:
        link.close(refusal.code, refusal.reason)
    finally:
        if node is not None:
            core.node_left(node, clock())
            _log.info("node %s left", node.alias)
        await link.closed()
    return socket


async def _register(socket: NodeSocket, link: SocketLink, core: RouterCore) -> Node | None:
    loop = asyncio.get_running_loop()
    try:
        message = await socket.receive(timeout=REGISTER_TIMEOUT_SECONDS)
    except TimeoutError:
        raise FrameError(POLICY_VIOLATION, "registration timeout") from None
    if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
        return None
    if message.type is not WSMsgType.TEXT:
        raise FrameError(POLICY_VIOLATION, "expected register message")
    return core.node_registered(read_register(read_object(message.data)), link, loop.time())


async def _read_frames(socket: NodeSocket, node: Node, core: RouterCore) -> None:
    clock = asyncio.get_running_loop().time
    life = core.life
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            raise FrameError(POLICY_VIOLATION, "binary frames are not understood")
        # Frames are looked at as parsed objects here: this loop is the hot path.
        frame = read_object(message.data)
        kind = frame.get("type")
        if kind == "heartbeat":
            core.heartbeat(node, read_heartbeat(frame), clock())
            continue
        request_id = frame.get("request_id")
        if type(request_id) is not str:
            if kind in _REQUEST_FRAMES:
                raise FrameError(POLICY_VIOLATION, "invalid request_id")
        elif kind == "inference_chunk":
            life.chunk(node, request_id, frame.get("chunk"), clock())
        elif kind == "inference_error":
            life.node_failed(node, request_id, clock())
        elif kind == "inference_decline":
            life.node_declined(node, request_id, clock())
        elif kind == "inference_cancelled":
            life.node_confirmed(node, request_id, clock())
