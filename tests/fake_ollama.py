"""An Ollama for tests: a real HTTP server on 127.0.0.1 whose faults are switched at run time."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

from tests import fake_ollama_shapes as shapes
from tests.fake_ollama_shapes import FakeModel, Json

__all__ = ["Chat", "FakeModel", "FakeOllama", "Fault", "Recorded"]

_INTEGER_OPTIONS = {"num_predict", "top_k", "seed", "repeat_last_n", "num_ctx"}
_OVERSIZED_CHARACTERS = 2 * 1024 * 1024
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong once `after` tokens of an answer are out.

    cut: the TCP connection is reset; end: the stream ends cleanly without a done line; error: an
    error line, then a clean end; malformed: a line that is no JSON; oversized: a line of 2 MiB.
    """

    kind: Literal["cut", "end", "error", "malformed", "oversized"]
    after: int = 0
    text: str = "an error was encountered while running the model: unexpected EOF"


@dataclass
class Chat:
    """One POST /api/chat as the server saw it."""

    body: Json
    headers: dict[str, str]
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the first line of the answer is about to be written."""
    aborted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client closed the connection (or the server stopped) before the end."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server has nothing more to do for this chat, however it ended."""
    aborted_at: float | None = None
    """The event loop's time of the abort."""
    tokens_sent: int = 0


@dataclass(frozen=True)
class Recorded:
    """One request of any kind; `body` is None where there was none or it was no JSON."""

    method: str
    path: str
    body: Any


class FakeOllama:
    """Answers every chat with `tokens`; change the plain attributes to change the next answer.

    Use as `async with FakeOllama() as ollama`, then `ollama.url`. `stop()` and `start()` take it
    down and bring it back on the same port.
    """

    def __init__(self, models: Sequence[FakeModel] = (FakeModel(),), num_parallel: int = 1) -> None:
        self.models = list(models)
        self.loaded: list[str] = []
        """Names in /api/ps; a chat loads its model."""
        self.version = "0.33.0"
        # The script of an answer.
        self.thinking: Sequence[str] = ()
        self.tokens: Sequence[str] = ("Hello", " there", ".")
        self.endless = False
        """Repeat the tokens until the client goes away."""
        self.pace = 0.001
        """Seconds between two tokens of an endless answer."""
        self.tool_calls: Sequence[Json] = ()
        self.done_text = ""
        self.done_reason = "stop"
        self.usage = True
        """False leaves counts and durations out of the done line, as Ollama may."""
        # Faults.
        self.first_token: asyncio.Event | None = None
        """Nothing, not even headers, is sent before this is set."""
        self.gap: tuple[int, asyncio.Event] | None = None
        """(N, event): after N tokens nothing more is sent before the event is set."""
        self.linger: asyncio.Event | None = None
        """After the done line the stream is not ended before this is set."""
        self.fault: Fault | None = None
        self.refusals: dict[str, tuple[int, str]] = {}
        """Path -> (HTTP status, error text) answered instead, before the first byte."""
        # What was seen.
        self.requests: list[Recorded] = []
        self.chats: list[Chat] = []
        self.in_flight = 0
        self.max_in_flight = 0
        """How many chats were open at once at most, waiting ones included."""
        self._arrived = asyncio.Condition()
        self._slots = asyncio.Semaphore(num_parallel)
        self._runner: web.AppRunner | None = None
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
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/", self._root),
                web.get("/api/version", self._version),
                web.get("/api/tags", self._tags),
                web.get("/api/ps", self._ps),
                web.post("/api/show", self._show),
                web.post("/api/chat", self._chat),
            ]
        )
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def chat(self, index: int) -> Chat:
        """The chat of that number (from 0), waiting until it has arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.chats) > index)
        return self.chats[index]

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        self.requests.append(Recorded(request.method, request.path, body))
        if request.path in self.refusals:
            return _error(*self.refusals[request.path])
        if request.url.host not in _LOOPBACK_NAMES:
            return web.Response(status=403)
        if request.method == "POST" and not isinstance(body, dict):
            return _error(400, "invalid character looking for beginning of object key string")
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found")
        except web.HTTPMethodNotAllowed:
            return web.Response(status=405, text="405 method not allowed")
        return response

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": self.version})

    async def _tags(self, _: web.Request) -> web.Response:
        return web.json_response({"models": [shapes.tag(model) for model in self.models]})

    async def _ps(self, _: web.Request) -> web.Response:
        running = [model for model in self.models if model.name in self.loaded]
        return web.json_response({"models": [shapes.process(model) for model in running]})

    async def _show(self, request: web.Request) -> web.Response:
        name = str((await request.json()).get("model", ""))
        model = self._find(name)
        if model is None:
            return _error(404, f"model '{shapes.with_tag(name)}' not found")
        return web.json_response(shapes.shown(model))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        chat = Chat(await request.json(), dict(request.headers))
        async with self._arrived:
            self.chats.append(chat)
            self._arrived.notify_all()
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            return self._refusal(chat) or await self._answer(request, chat)
        except (asyncio.CancelledError, ConnectionError):
            chat.aborted_at = asyncio.get_running_loop().time()
            chat.aborted.set()
            raise
        finally:
            self.in_flight -= 1
            chat.ended.set()

    def _find(self, name: str) -> FakeModel | None:
        wanted = shapes.with_tag(name)
        return next((model for model in self.models if shapes.with_tag(model.name) == wanted), None)

    def _refusal(self, chat: Chat) -> web.Response | None:
        """The answers Ollama gives before it looks for a slot."""
        name = chat.body.get("model", "")
        if not name:
            return _error(400, "model is required")
        model = self._find(name)
        if model is None:
            return _error(404, f"model '{name}' not found")
        full_name = f"registry.ollama.ai/library/{name}"
        if chat.body.get("tools") and "tools" not in model.capabilities:
            return _error(400, f"{full_name} does not support tools")
        if chat.body.get("think") and "thinking" not in model.capabilities:
            return _error(400, f'"{name}" does not support thinking')
        for option, value in (chat.body.get("options") or {}).items():
            if option in _INTEGER_OPTIONS and not isinstance(value, int):
                return _error(500, f'option "{option}" must be of type integer')
        return None

    async def _answer(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        name = chat.body["model"]
        if not chat.body.get("messages"):
            unload = chat.body.get("keep_alive") == 0
            self.loaded = [loaded for loaded in self.loaded if loaded != name]
            self.loaded += [] if unload else [name]
            return web.json_response(shapes.done(name, "", "unload" if unload else "load", {}))
        async with self._slots:
            if name not in self.loaded:
                self.loaded.append(name)
            if self.first_token is not None:
                await self.first_token.wait()
            if chat.body.get("stream", True):
                return await self._stream(request, chat)
            chat.started.set()
            text = "".join(self.tokens) + self.done_text
            return web.json_response(self._done_line(chat, text, len(self.tokens)))

    async def _stream(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        chat.started.set()
        await response.prepare(request)
        async for line in self._lines(chat):
            await response.write(line)
        if self.linger is not None:
            await self.linger.wait()
        if self.fault is not None and self.fault.kind == "cut" and request.transport is not None:
            request.transport.abort()
        return response

    async def _lines(self, chat: Chat) -> AsyncIterator[bytes]:
        name = chat.body["model"]
        for thought in self.thinking:
            yield shapes.line(
                shapes.chunk(name, {"role": "assistant", "content": "", "thinking": thought})
            )
        for number in itertools.count():
            if self.gap is not None and self.gap[0] == number:
                await self.gap[1].wait()
            if self.fault is not None and self.fault.after == number:
                for faulty in self._faulty_lines(name, self.fault):
                    yield faulty
                return
            if number >= len(self.tokens) and not self.endless:
                break
            if self.endless:
                await asyncio.sleep(self.pace)
            token = self.tokens[number % len(self.tokens)]
            yield shapes.line(shapes.chunk(name, {"role": "assistant", "content": token}))
            chat.tokens_sent += 1
        if self.tool_calls:
            calls = {"role": "assistant", "content": "", "tool_calls": list(self.tool_calls)}
            yield shapes.line(shapes.chunk(name, calls))
        yield shapes.line(self._done_line(chat, self.done_text, chat.tokens_sent))

    def _faulty_lines(self, name: str, fault: Fault) -> Iterator[bytes]:
        if fault.kind == "error":
            yield shapes.line({"error": fault.text})
        elif fault.kind == "malformed":
            yield b'{"model":"' + name.encode() + b'","mess\n'
        elif fault.kind == "oversized":
            text = "x" * _OVERSIZED_CHARACTERS
            yield shapes.line(shapes.chunk(name, {"role": "assistant", "content": text}))

    def _done_line(self, chat: Chat, text: str, tokens: int) -> Json:
        prompt = sum(len(str(m.get("content", "")).split()) for m in chat.body["messages"])
        usage = shapes.usage(prompt, tokens)
        return shapes.done(chat.body["model"], text, self.done_reason, usage if self.usage else {})


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
