"""The WebSocket of a node: from frames to calls of the core, and back."""

import asyncio
import logging
from functools import partial
from typing import Any, Final

from aiohttp import WSMsgType, web

from idleclaw_protocol.frame_reading import (
    POLICY_VIOLATION,
    FrameError,
    read_heartbeat,
    read_object,
    read_register,
)
from idleclaw_protocol.limits import MAX_CHUNK_FRAME_BYTES, MAX_FRAME_BYTES
from idleclaw_server.client_address import Client
from idleclaw_server.core import RouterCore
from idleclaw_server.entrance import CLIENT
from idleclaw_server.errors import NodeRefused
from idleclaw_server.large_frames import LARGE_FRAME_BYTES, LargeFrames
from idleclaw_server.node import Node
from idleclaw_server.socket_link import NodeSocket, SocketLink

_TURN_BYTES: Final = 32_768
_FRAME_COST_BYTES: Final = 128
_REQUEST_FRAMES: Final = frozenset(
    {"inference_chunk", "inference_error", "inference_decline", "inference_cancelled"}
)
_GONE: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
_log = logging.getLogger(__name__)


async def serve_node(
    request: web.Request, core: RouterCore, large: LargeFrames
) -> web.WebSocketResponse[bool]:
    """Answer `WS /ws/node`: register the node, then pass its frames on until it leaves."""
    socket: NodeSocket = web.WebSocketResponse(
        heartbeat=core.policy.ping_seconds,
        compress=False,
        max_msg_size=MAX_FRAME_BYTES,
        decode_text=False,
        timeout=core.policy.close_seconds,
    )
    await socket.prepare(request)
    link = SocketLink(socket, request.transport, core.policy.close_seconds)
    clock = asyncio.get_running_loop().time
    node: Node | None = None
    try:
        node = await _register(socket, link, core, request[CLIENT])
        if node is not None:
            _log.info("node %s joined with %d models", node.alias, len(node.models))
            await _read_frames(socket, node, core, large)
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


async def _register(
    socket: NodeSocket, link: SocketLink, core: RouterCore, client: Client
) -> Node | None:
    loop = asyncio.get_running_loop()
    try:
        # Around the whole wait: `receive(timeout=)` starts anew with every ping.
        async with asyncio.timeout(core.policy.register_seconds):
            message = await socket.receive()
    except TimeoutError:
        raise FrameError(POLICY_VIOLATION, "registration timeout") from None
    if message.type in _GONE:
        return None
    if message.type is not WSMsgType.TEXT:
        raise FrameError(POLICY_VIOLATION, "expected register message")
    register = read_register(read_object(message.data))
    return core.node_registered(register, link, loop.time(), client)


async def _read_frames(
    socket: NodeSocket, node: Node, core: RouterCore, large: LargeFrames
) -> None:
    clock = asyncio.get_running_loop().time
    turn = 0
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            if message.type is WSMsgType.ERROR:
                return
            raise FrameError(POLICY_VIOLATION, "binary frames are not understood")
        data: bytes = message.data
        if len(data) > LARGE_FRAME_BYTES:
            await large.handle(partial(_handle, data, node, core, clock()))
            continue
        _handle(data, node, core, clock())
        turn += len(data) + _FRAME_COST_BYTES
        if turn > _TURN_BYTES:
            # What one socket has ready is read without a pause; consumers must get theirs first.
            turn = 0
            await asyncio.sleep(0)


def _handle(data: bytes, node: Node, core: RouterCore, now: float) -> None:
    """Look at one frame as a parsed object: this is the hot path, where models cost too much."""
    frame = read_object(data)
    kind = frame.get("type")
    if kind == "heartbeat":
        core.heartbeat(node, read_heartbeat(frame), now)
        return
    request_id: Any = frame.get("request_id")
    if type(request_id) is not str:
        if isinstance(kind, str) and kind in _REQUEST_FRAMES:
            raise FrameError(POLICY_VIOLATION, "invalid request_id")
    elif kind == "inference_chunk":
        chunk = frame.get("chunk") if len(data) <= MAX_CHUNK_FRAME_BYTES else None
        core.answers.chunk(node, request_id, chunk, now)
    elif kind == "inference_error":
        core.answers.failed(node, request_id, now)
    elif kind == "inference_decline":
        core.answers.declined(node, request_id, now)
    elif kind == "inference_cancelled":
        core.answers.cancelled(node, request_id, now)
