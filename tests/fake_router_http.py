"""A router for consumers' tests: a real HTTP server on 127.0.0.1 that plays a script.

    async with FakeRouter() as router:
        gate = asyncio.Event()
        router.script = [text("Hel"), Hold(gate), text("lo"), finish(), DONE]
        ...  # a consumer of router.url reads "Hel"
        gate.set()

What it serves are plain attributes, changed at any time. A status body that is None answers 404,
bytes go out as they are. It has both shapes: `text` and `finish` are IdleClaw's events,
`original_text` and `ORIGINAL_DONE` those of the original router.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Body = dict[str, Any] | bytes | None


@dataclass(frozen=True)
class Raw:
    """Bytes that are written as they are."""

    data: bytes


@dataclass(frozen=True)
class Hold:
    """The script waits here until the test opens the gate."""

    gate: asyncio.Event


@dataclass(frozen=True)
class Cut:
    """The TCP connection is cut, with no end of the body."""


@dataclass(frozen=True)
class Pause:
    """The script waits so many seconds, for tests of what silence does."""

    seconds: float


Step = Raw | Hold | Cut | Pause


def event(payload: dict[str, Any] | str, *, newline: str = "\n", ascii_only: bool = False) -> Raw:
    """Return one server-sent event; a string is sent as the data itself."""
    data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=ascii_only)
    return Raw(f"data: {data}{newline}{newline}".encode())


def comment(text: str = "keep-alive", *, newline: str = "\n") -> Raw:
    """Return a comment, which no consumer may take for data."""
    return Raw(f": {text}{newline}{newline}".encode())


def chunk(delta: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """Return the payload of an event; `finish_reason` goes to the choice, the rest on top."""
    choice = {"index": 0, "delta": delta}
    if "finish_reason" in extra:
        choice["finish_reason"] = extra.pop("finish_reason")
    return {
        "id": "chatcmpl-0123456789ab",
        "object": "chat.completion.chunk",
        "model": "tiny:1b",
        "choices": [choice],
        **extra,
    }


def text(content: str) -> Raw:
    """Return an event with text of the answer."""
    return event(chunk({"content": content}))


def thinking(content: str) -> Raw:
    """Return an event with text of the model's thinking."""
    return event(chunk({"content": content, "reasoning": True}))


def waiting(state: str, position: int | None = None, eta: float | None = None) -> Raw:
    """Return an event without text that says why there is none yet."""
    extra: dict[str, Any] = {"state": state}
    if position is not None:
        extra["queue"] = {"position": position, "eta_seconds": eta}
    return event(chunk({}, **extra))


USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
TIMINGS = {"queued": 0.0, "first_token": 0.5, "total": 1.5, "tokens_per_second": 10.0}


def finish(reason: str = "stop", *, error: str | None = None) -> Raw:
    """Return the last event; with `error`, that of a failed answer, repeated as text."""
    if error is not None:
        return event(
            chunk(
                {"content": f"\n\n[Error: {error}]"},
                finish_reason="error",
                error={"code": "node_lost", "message": error},
            )
        )
    return event(chunk({}, finish_reason=reason, usage=USAGE, timings=TIMINGS))


DONE = event("[DONE]")


def original_text(content: str, **delta: Any) -> Raw:
    """Return an event as the original frames it: CRLF, all of it ASCII."""
    return event(chunk({"content": content, **delta}), newline="\r\n", ascii_only=True)


ORIGINAL_DONE = event("[DONE]", newline="\r\n")
ORIGINAL_PING = comment("ping - 2026-11-22 15:37:06.209006+00:00", newline="\r\n")


@dataclass(frozen=True)
class Refuse:
    """An answer to `POST /api/chat` that is no stream."""

    status: int
    body: dict[str, Any] | bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Chat:
    """One `POST /api/chat` as it came in; the events tell how it went."""

    body: Any
    headers: dict[str, str]
    peer: object
    """The consumer's end of the TCP connection."""

    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    """The consumer closed its connection before the script was through."""

    played: asyncio.Event = field(default_factory=asyncio.Event)
    """The whole script was played."""


@dataclass
class FakeRouter:
    """The server; see the module for its use."""

    script: Sequence[Step] = (text("Hello"), finish(), DONE)
    refuse: Refuse | None = None
    stream_headers: dict[str, str] = field(
        default_factory=lambda: {"Content-Type": "text/event-stream; charset=utf-8"}
    )
    health: Body = field(
        default_factory=lambda: {"status": "healthy", "uptime_seconds": 3725, "node_count": 2}
    )
    models: Body = field(
        default_factory=lambda: {
            "models": ["big:70b", "tiny:1b"],
            "capabilities": {"tiny:1b": {"thinking": False, "tool_calls": True}},
        }
    )
    metrics: Body = field(
        default_factory=lambda: {
            "nodes_connected": 2,
            "nodes_registered_total": 7,
            "requests_total": 100,
            "requests_active": 1,
            "requests_errors_total": 3,
            "models_available": [
                {"name": "tiny:1b", "node_count": 2},
                {"name": "big:70b", "node_count": 1},
            ],
            "uptime_seconds": 3725,
        }
    )
    network: Body = None
    network_events: Sequence[Step] | Refuse | None = None
    """What is played on `GET /api/network/events`; None answers 404."""
    last_event_ids: list[str] = field(default_factory=list)
    """What was named there as seen last, "" for nothing."""

    status_answer: tuple[int, dict[str, str]] = (200, {})
    """HTTP status and headers of what is not `POST /api/chat`."""

    chats: list[Chat] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/api/network/events", self._network_events)
        app.router.add_get("/{path:.*}", self._status)
        app.router.add_post("/api/chat", self._chat)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://127.0.0.1:{1}".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _status(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        bodies: dict[str, Body] = {
            "/health": self.health,
            "/api/models": self.models,
            "/metrics": self.metrics,
            "/api/network": self.network,
        }
        body = bodies.get(request.path)
        if body is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        status, headers = self.status_answer
        return _response(status, body, headers)

    async def _network_events(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        self.last_event_ids.append(request.headers.get("Last-Event-ID", ""))
        if self.network_events is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        if isinstance(self.network_events, Refuse):
            refuse = self.network_events
            return _response(refuse.status, refuse.body, refuse.headers)
        response = web.StreamResponse(headers=self.stream_headers)
        await response.prepare(request)
        await self._play(request, response, self.network_events)
        return response

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        chat = Chat(
            await request.json(),
            dict(request.headers),
            request.transport.get_extra_info("peername") if request.transport else None,
        )
        self.chats.append(chat)
        if self.refuse is not None:
            return _response(self.refuse.status, self.refuse.body, self.refuse.headers)
        response = web.StreamResponse(headers=self.stream_headers)
        try:
            await response.prepare(request)
            await self._play(request, response, self.script)
            chat.played.set()
        except (asyncio.CancelledError, ConnectionError):
            chat.disconnected.set()
            raise
        return response

    async def _play(
        self, request: web.Request, response: web.StreamResponse, script: Sequence[Step]
    ) -> None:
        for step in script:
            match step:
                case Raw(data):
                    await response.write(data)
                case Hold(gate):
                    await gate.wait()
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case Cut():
                    assert request.transport is not None
                    request.transport.abort()
                    return


def _response(status: int, body: dict[str, Any] | bytes, headers: dict[str, str]) -> web.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return web.Response(
        status=status, body=data, headers={"Content-Type": "application/json", **headers}
    )
