"""A router for tests of the node: a real WebSocket server whose frames the test writes."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Json = dict[str, Any]

ALL_FEATURES = ("decline", "cancel_ack")

# At DEBUG, websockets logs the frames; tests look for leaks of the node, not of this server.
_quiet_logger = logging.getLogger("tests.fake_router_ws")
_quiet_logger.setLevel(logging.INFO)


class NodeConnection:
    """One connection of a node, from its `register` frame on."""

    def __init__(self, websocket: ServerConnection, register: Json) -> None:
        self.register = register
        self.frames: list[Json] = []
        """Every frame after `register`, in the order of arrival."""
        self.closed = asyncio.Event()
        self._websocket = websocket
        self._changed = asyncio.Condition()
        self._ids = itertools.count(1)

    @property
    def close_code(self) -> int | None:
        return self._websocket.close_code

    async def request(self, request_id: str | None = None, **params: Any) -> str:
        """Send an inference request, a sensible one unless `params` say otherwise."""
        request_id = request_id or f"request-{next(self._ids)}"
        ollama_params = {
            "model": self.register["models"][0]["name"],
            "messages": [{"role": "user", "content": "Hello?"}],
            "stream": True,
            "keep_alive": -1,
            "think": False,
        } | params
        await self.send(
            type="inference_request", request_id=request_id, ollama_params=ollama_params
        )
        return request_id

    async def cancel(self, request_id: str) -> None:
        await self.send(type="cancel_request", request_id=request_id)

    async def send(self, **frame: Any) -> None:
        await self.send_raw(json.dumps(frame))

    async def send_raw(self, data: str | bytes) -> None:
        await self._websocket.send(data)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._websocket.close(code, reason)

    def drop(self) -> None:
        """Break the TCP connection without a close frame."""
        self._websocket.transport.abort()

    def pause(self) -> None:
        """Take nothing more from the socket."""
        self._websocket.transport.pause_reading()

    async def first(self, matches: Callable[[Json], object]) -> Json:
        """The first frame that matches, waiting for it; fails where the connection closes."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self.closed.is_set() or any(matches(frame) for frame in self.frames)
            )
        found = next((frame for frame in self.frames if matches(frame)), None)
        assert found is not None, "the connection closed without such a frame"
        return found

    async def heartbeat(self, matches: Callable[[Json], object] = lambda _: True) -> Json:
        return await self.first(lambda frame: frame["type"] == "heartbeat" and matches(frame))

    async def paused(self) -> Json:
        """The next heartbeat that asks for no requests."""
        return await self.heartbeat(lambda frame: not frame["available"])

    async def answer(self, request_id: str) -> list[Json]:
        """All frames about a request, once the last one is here."""
        await self.first(lambda frame: frame.get("request_id") == request_id and _is_last(frame))
        return [frame for frame in self.frames if frame.get("request_id") == request_id]

    async def read(self) -> None:
        try:
            async for data in self._websocket:
                await self._note(json.loads(data))
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()
            async with self._changed:
                self._changed.notify_all()

    async def _note(self, frame: Json) -> None:
        async with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()


class FakeRouter:
    """Registers every node; change the plain attributes to change how it treats the next one.

    `features` None is the original router, which knows no extensions.
    """

    def __init__(self, features: tuple[str, ...] | None = ALL_FEATURES) -> None:
        self.features = features
        self.refusal: tuple[int, str] | None = None
        """(close code, reason) instead of a registration."""
        self.handshake: tuple[int, dict[str, str]] | None = None
        """(HTTP status, headers) instead of a WebSocket."""
        self.silent = False
        """Never answer a registration."""
        self.nodes: list[NodeConnection] = []
        self.handshakes: list[Request] = []
        self._arrived = asyncio.Condition()
        self._server: Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self._port,
            process_request=self._handshake,
            compression=None,
            close_timeout=0.5,
            max_size=None,
            logger=_quiet_logger,
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection with 1001 and stop listening; `start` takes the same port."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def node(self, index: int = 0) -> NodeConnection:
        """The registration of that number (from 0), waiting until it is answered."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.nodes) > index)
        return self.nodes[index]

    def _handshake(self, websocket: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        if self.handshake is not None:
            status, headers = self.handshake
            return Response(status, HTTPStatus(status).phrase, Headers(headers))
        return None if request.path == "/ws/node" else websocket.respond(404, "Not Found\n")

    async def _serve(self, websocket: ServerConnection) -> None:
        register = json.loads(await websocket.recv())
        if self.refusal is not None:
            await websocket.close(*self.refusal)
            return
        if not self.silent:
            await websocket.send(json.dumps(self._registered(register)))
        node = NodeConnection(websocket, register)
        async with self._arrived:
            self.nodes.append(node)
            self._arrived.notify_all()
        await node.read()

    def _registered(self, register: Json) -> Json:
        answer: Json = {"type": "registered", "node_id": register["node_id"]}
        return answer if self.features is None else answer | {"features": list(self.features)}


def _is_last(frame: Json) -> bool:
    return frame["type"] != "inference_chunk" or bool(frame["chunk"]["done"])
