"""A node that does what a test tells it, frame by frame, on a real WebSocket."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect

MODEL = "tiny:1b"
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Asked:
    """An `inference_request` as it reached the node."""

    request_id: str
    params: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        text = self.params["messages"][-1]["content"]
        assert isinstance(text, str)
        return text


class ScriptedNode:
    """One connection to `/ws/node`. Every wait ends in an error after ten seconds."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def register(
        self,
        node_id: str = "alpha",
        models: Iterable[str] = (MODEL,),
        *,
        slots: int = 2,
        features: Iterable[str] = (),
        **more: object,
    ) -> dict[str, Any]:
        """Register and return the router's answer."""
        await self.send(
            type="register",
            node_id=node_id,
            models=[{"name": name, "size": 1_000_000} for name in models],
            max_concurrent=slots,
            ollama_version="0.99.1",
            features=list(features),
            **more,
        )
        return await self.frame()

    async def send(self, **frame: object) -> None:
        """Send one frame."""
        await self.raw(json.dumps(frame))

    async def raw(self, data: str | bytes) -> None:
        """Send text (or a binary message) as it is."""
        await self.socket.send(data)

    async def frame(self) -> dict[str, Any]:
        """Return the next frame from the router."""
        with anyio.fail_after(_PATIENCE_SECONDS):
            frame = json.loads(await self.socket.recv())
        assert isinstance(frame, dict)
        return frame

    async def asked(self) -> Asked:
        """Return the next request; the cancel frames of earlier ones are passed over."""
        while True:
            frame = await self.frame()
            if frame["type"] == "inference_request":
                return Asked(frame["request_id"], frame["ollama_params"])
            assert frame["type"] == "cancel_request"

    async def cancelled(self) -> str:
        """Return the request_id of the next frame, which has to be a cancel."""
        frame = await self.frame()
        assert frame["type"] == "cancel_request", frame
        request_id = frame["request_id"]
        assert isinstance(request_id, str)
        return request_id

    async def chunk(self, request_id: str, content: object = "", **more: object) -> None:
        """Send one chunk; keys of `message` go in `message=`, others beside `done`."""
        message = {"role": "assistant", "content": content, **_dict(more.pop("message", {}))}
        chunk = {"message": message, "done": False, **more}
        await self.send(type="inference_chunk", request_id=request_id, chunk=chunk)

    async def done(self, request_id: str, content: str = "", **counts: object) -> None:
        """Send the last chunk."""
        await self.chunk(request_id, content, done=True, **{"done_reason": "stop", **counts})

    async def answer(self, request_id: str, *texts: str) -> None:
        """Send a whole answer."""
        for text in texts:
            await self.chunk(request_id, text)
        await self.done(request_id)

    async def error(self, request_id: str, code: str = "ollama_error") -> None:
        """End a request with an error."""
        await self.send(type="inference_error", request_id=request_id, error=code)

    async def heartbeat(self, **fields: object) -> None:
        """Send a heartbeat."""
        await self.send(type="heartbeat", **fields)

    async def settled(self) -> None:
        """Return once the router has handled all that was sent so far (it answers a ping)."""
        with anyio.fail_after(_PATIENCE_SECONDS):
            await (await self.socket.ping())

    async def close_frame(self) -> tuple[int, str]:
        """Wait for the router to close; return its code and reason. Frames before are dropped."""
        with anyio.fail_after(_PATIENCE_SECONDS):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""

    def cut(self) -> None:
        """Drop the connection without a close frame, as a crash does."""
        self.socket.transport.abort()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[ScriptedNode]:
    """A node that has said nothing yet."""
    address = url.replace("http", "ws", 1) + "/ws/node"
    async with connect(
        address, compression=None, close_timeout=1, proxy=None, max_queue=None
    ) as socket:
        yield ScriptedNode(socket)


@asynccontextmanager
async def registered(
    url: str, node_id: str = "alpha", models: Iterable[str] = (MODEL,), **more: Any
) -> AsyncIterator[ScriptedNode]:
    """A node that the router has accepted."""
    async with connected(url) as node:
        answer = await node.register(node_id, models, **more)
        assert answer["type"] == "registered", answer
        yield node


def _dict(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value
