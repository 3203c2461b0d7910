"""The WebSocket of a node: from frames to calls of the core, and back."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from aiohttp import WSMsgType, web
from aiohttp.http import WSMessageNoDecodeText as Message

from idleclaw_protocol.frame_reading import (
    POLICY_VIOLATION,
    FrameError,
    read_heartbeat,
    read_object,
    read_register,
)
from idleclaw_protocol.limits import MAX_CHUNK_FRAME_BYTES, MAX_FRAME_BYTES
from idleclaw_server.chunk_reading import parts
from idleclaw_server.client_address import Client
from idleclaw_server.core import RouterCore
from idleclaw_server.entrance import CLIENT
from idleclaw_server.errors import NodeRefused
from idleclaw_server.frame_turns import FrameTurns, takes_long
from idleclaw_server.node import Node
from idleclaw_server.socket_link import NodeSocket, SocketLink

_REQUEST_FRAMES: Final = frozenset(
    {"inference_chunk", "inference_error", "inference_decline", "inference_cancelled"}
)
_TURN_BYTES: Final = 8_192
_FRAME_COST_BYTES: Final = 128
_PINGS: Final = (WSMsgType.PING, WSMsgType.PONG)
_GONE: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
_log = logging.getLogger(__name__)


async def serve_node(
    request: web.Request, core: RouterCore, turns: FrameTurns
) -> web.WebSocketResponse[bool]:
    """Answer `WS /ws/node`: register the node, then pass its frames on until it leaves."""
    socket: NodeSocket = NodeSocket(
        heartbeat=core.policy.ping_seconds,
        compress=False,
        autoping=False,
        max_msg_size=MAX_FRAME_BYTES,
        decode_text=False,
        timeout=core.policy.close_seconds,
    )
    await socket.prepare(request)
    link = SocketLink(socket, request.transport, core.policy.close_seconds)
    clock = asyncio.get_running_loop().time
    node: Node | None = None
    try:
        node = await _register(socket, link, core, request[CLIENT], turns)
        if node is not None:
            _log.info("node %s joined with %d models", node.alias, len(node.models))
            await _read_frames(socket, node, core, turns)
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
    socket: NodeSocket, link: SocketLink, core: RouterCore, client: Client, turns: FrameTurns
) -> Node | None:
    loop = asyncio.get_running_loop()
    try:
        # Around the whole wait: `receive(timeout=)` starts anew with every ping.
        async with asyncio.timeout(core.policy.register_seconds):
            message = await _first_message(socket)
    except TimeoutError:
        raise FrameError(POLICY_VIOLATION, "registration timeout") from None
    if message.type in _GONE:
        return None
    if message.type is not WSMsgType.TEXT:
        raise FrameError(POLICY_VIOLATION, "expected register message")
    data: bytes = message.data
    frame = await turns.alone(partial(read_object, data)) if takes_long(data) else read_object(data)
    register = read_register(frame)
    return core.node_registered(register, link, loop.time(), client)


async def _first_message(socket: NodeSocket) -> Message:
    while True:
        message = await socket.receive()
        if message.type not in _PINGS:
            return message
        await _answer_ping(socket, message)
        await asyncio.sleep(0)


async def _answer_ping(socket: NodeSocket, message: Message) -> None:
    """Do what aiohttp would, which leaves nobody else a turn while pings come (`autoping`)."""
    if message.type is WSMsgType.PING:
        await socket.pong(message.data)


async def _read_frames(socket: NodeSocket, node: Node, core: RouterCore, turns: FrameTurns) -> None:
    clock = asyncio.get_running_loop().time
    turn = 0
    async for message in socket:
        turn += _FRAME_COST_BYTES
        if message.type is WSMsgType.TEXT:
            data: bytes = message.data
            if takes_long(data):
                await _handle_large(data, node, core, turns)
                continue
            _handle(read_object(data), node, core, clock)
            turn += len(data)
        elif message.type in _PINGS:
            await _answer_ping(socket, message)
        elif message.type is WSMsgType.ERROR:
            return
        else:
            raise FrameError(POLICY_VIOLATION, "binary frames are not understood")
        if turn > _TURN_BYTES:
            # What one socket has ready is read without a pause; consumers must get theirs first.
            turn = 0
            await (turns.rest() if message.type in _PINGS else asyncio.sleep(0))


async def _handle_large(data: bytes, node: Node, core: RouterCore, turns: FrameTurns) -> None:
    """Read a frame, then handle it in as many parts as it takes, each in a turn of its own."""
    clock = asyncio.get_running_loop().time
    frame = await turns.alone(partial(read_object, data))
    request_id = frame.get("request_id")
    too_large = len(data) > MAX_CHUNK_FRAME_BYTES
    for chunk in parts(None if too_large else frame.get("chunk")):
        await turns.alone(partial(_handle, {**frame, "chunk": chunk}, node, core, clock))
        if type(request_id) is not str or request_id not in node.in_flight:
            # It ended with this part, or while the next one would have waited.
            return


def _handle(
    frame: dict[str, Any], node: Node, core: RouterCore, clock: Callable[[], float]
) -> None:
    """Look at one frame as a parsed object: this is the hot path, where models cost too much."""
    now = clock()
    kind = frame.get("type")
    if kind == "heartbeat":
        core.heartbeat(node, read_heartbeat(frame), now)
        return
    request_id: Any = frame.get("request_id")
    if type(request_id) is not str:
        if isinstance(kind, str) and kind in _REQUEST_FRAMES:
            raise FrameError(POLICY_VIOLATION, "invalid request_id")
    elif kind == "inference_chunk":
        core.answers.chunk(node, request_id, frame.get("chunk"), now)
    elif kind == "inference_error":
        core.answers.failed(node, request_id, now)
    elif kind == "inference_decline":
        core.answers.declined(node, request_id, now)
    elif kind == "inference_cancelled":
        core.answers.cancelled(node, request_id, now)
