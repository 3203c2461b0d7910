"""A router that speaks the original's protocol to a node and to consumers, and nothing newer."""

import asyncio
import json
import uuid
from typing import Any, Self

from aiohttp import WSMsgType, web

Json = dict[str, Any]


class OriginalRouter:
    """Relays each chat to the one node that is connected; `frames` are all that the node sent."""

    def __init__(self) -> None:
        self.frames: list[Json] = []
        self.register: Json = {}
        self.registered = asyncio.Event()
        self.url = ""
        self._socket: web.WebSocketResponse | None = None
        self._streams: dict[str, asyncio.Queue[Json]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.get("/ws/node", self._node), web.post("/api/chat", self._chat)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close(code=1012)
        await self._runner.cleanup()

    async def ask(self, params: Json) -> list[Json]:
        """Send the node a request as it is, and return the frames of its answer."""
        assert self._socket is not None
        request_id = str(uuid.uuid4())
        stream = self._streams[request_id] = asyncio.Queue()
        frame = {"type": "inference_request", "request_id": request_id, "ollama_params": params}
        await self._socket.send_str(json.dumps(frame))
        frames: list[Json] = []
        while not (frames and _is_last(frames[-1])):
            frames.append(await stream.get())
        await self._socket.send_str(
            json.dumps({"type": "cancel_request", "request_id": request_id})
        )
        return frames

    async def _node(self, request: web.Request) -> web.WebSocketResponse:
        socket = self._socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.register = await socket.receive_json()
        await socket.send_json({"type": "registered", "node_id": self.register["node_id"]})
        self.registered.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                self.frames.append(frame)
                if (stream := self._streams.get(frame.get("request_id", ""))) is not None:
                    stream.put_nowait(frame)
        return socket

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        rules = {"role": "system", "content": "You are an assistant on IdleClaw."}
        frames = await self.ask(
            {
                "model": body["model"],
                "messages": [rules, *body["messages"]],
                "stream": True,
                "keep_alive": -1,
                "think": False,
            }
        )
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for frame in frames:
            text = frame["chunk"]["message"]["content"]
            if text and not frame["chunk"]["done"]:
                await response.write(_event(body["model"], text))
        await response.write(b"data: [DONE]\r\n\r\n")
        return response


def _event(model: str, text: str) -> bytes:
    event = {
        "id": "chatcmpl-0123456789ab",
        "object": "chat.completion.chunk",
        "model": model,
        "choices": [{"delta": {"content": text}, "index": 0}],
    }
    return f"data: {json.dumps(event)}\r\n\r\n".encode()


def _is_last(frame: Json) -> bool:
    return frame["type"] != "inference_chunk" or bool(frame["chunk"]["done"])
