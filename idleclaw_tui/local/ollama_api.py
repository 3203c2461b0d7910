"""A loopback HTTP service that speaks Ollama's API over the embedded engine."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, Self

from aiohttp import web
from pydantic_core import from_json, to_json

from idleclaw_tui.local import ollama_shapes as shapes
from idleclaw_tui.local.engine import Engine, EngineError, EngineRefusal, find_model
from idleclaw_tui.local.ollama_request import (
    ApiError,
    ChatRequest,
    engine_request,
    is_loopback_host,
    parse_chat,
    require_model,
    without_oldest,
)
from idleclaw_tui.local.ollama_shapes import AnswerReader, ModelFacts

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API_VERSION = "0.33.0"
"""The Ollama whose API this is."""

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_QUEUE = 64
_BODY_SECONDS = 30.0


class ChatEngine(Protocol):
    """What the service needs of an engine: `slots` answers at once, each by `events`."""

    slots: int

    def events(self, request: Json) -> AsyncGenerator[Json, None]: ...


class EmbeddedOllama:
    """Serves one model at `url`, one answer a slot at a time; others wait in line, 64 at most."""

    def __init__(self, engine: ChatEngine, model: ModelFacts) -> None:
        self.model = model
        self.url = ""
        self._engine = engine
        self._slots = asyncio.Semaphore(engine.slots)
        self._open_chats = 0

    @classmethod
    @asynccontextmanager
    async def start(cls, engine: Engine | None = None) -> AsyncIterator[Self]:
        """Load the model and serve it for the length of the block; running answers end with it.

        Raises EngineMissing without the extra `local`, EngineError when the model does not load.
        """
        engine = engine or Engine(await asyncio.to_thread(find_model))
        try:
            await engine.start()
            service = cls(engine, await engine.facts())
            async with service.serving():
                yield service
        finally:
            await engine.stop()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free port of 127.0.0.1 for the length of the block."""
        runner = web.AppRunner(
            self.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_errors, _loopback_only], client_max_size=MAX_BODY_BYTES)
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
        return app

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _version(self, _: web.Request) -> web.Response:
        return _json({"version": API_VERSION})

    async def _tags(self, _: web.Request) -> web.Response:
        return _json(shapes.tags(self.model))

    async def _ps(self, _: web.Request) -> web.Response:
        return _json(shapes.processes(self.model))

    async def _show(self, request: web.Request) -> web.Response:
        require_model(await _body(request), self.model, with_tag=True)
        return _json(shapes.shown(self.model))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        chat = parse_chat(await _body(request), self.model)
        arrived = time.perf_counter_ns()
        if not chat.messages:
            reason = {"done_reason": "load"}
            return _json(shapes.done_line(self.model.name, time.time_ns(), "", reason))
        if self._open_chats >= MAX_QUEUE + self._engine.slots:
            raise ApiError(503, "server busy, please try again.  maximum pending requests exceeded")
        self._open_chats += 1
        try:
            async with self._slots:
                answer = self._stream if chat.stream else self._whole
                return await answer(request, chat, arrived)
        finally:
            self._open_chats -= 1

    async def _whole(self, _: web.Request, chat: ChatRequest, arrived: int) -> web.Response:
        began, reader = time.perf_counter_ns(), AnswerReader()
        async with aclosing(self._texts(chat, reader)) as texts:
            text = "".join([text async for text in texts])
        return _json(self._done(text, reader, arrived, began))

    async def _stream(
        self, request: web.Request, chat: ChatRequest, arrived: int
    ) -> web.StreamResponse:
        """Holds the headers back until the first token, as Ollama does."""
        began, reader = time.perf_counter_ns(), AnswerReader()
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        try:
            async with aclosing(self._texts(chat, reader)) as texts:
                async for text in texts:
                    if not response.prepared:
                        await response.prepare(request)
                    await response.write(_line(self._chunk(text)))
            last = self._done("", reader, arrived, began)
        except EngineError as error:
            if not response.prepared:
                raise
            last = {"error": _engine_text(error)}
        if not response.prepared:
            await response.prepare(request)
        await response.write(_line(last))
        return response

    async def _texts(self, chat: ChatRequest, reader: AnswerReader) -> AsyncGenerator[str, None]:
        """The answer piece by piece; a history too long for the model loses its oldest messages."""
        messages = chat.messages
        while True:
            try:
                async with aclosing(self._engine.events(engine_request(chat, messages))) as events:
                    async for event in events:
                        if text := reader.feed(event):
                            yield text
                break
            except EngineRefusal as refusal:
                shorter = refusal.prompt_tokens and without_oldest(
                    messages, refusal.prompt_tokens, refusal.context_length
                )
                if not shorter:
                    raise
                messages = shorter
        if not reader.finish_reason:
            raise EngineError(reader.error or "unexpected EOF")

    def _chunk(self, text: str) -> Json:
        return shapes.chat_line(self.model.name, time.time_ns(), text)

    def _done(self, text: str, reader: AnswerReader, arrived: int, began: int) -> Json:
        fields = reader.fields(began - arrived, time.perf_counter_ns() - arrived)
        return shapes.done_line(self.model.name, time.time_ns(), text, fields)


def _json(value: Json, status: int = 200) -> web.Response:
    return web.Response(
        body=to_json(value), status=status, content_type="application/json", charset="utf-8"
    )


def _line(value: Json) -> bytes:
    return to_json(value) + b"\n"


def _engine_text(error: EngineError) -> str:
    return f"an error was encountered while running the model: {error}"


async def _body(request: web.Request) -> Json:
    """Raises ApiError for what is no JSON object, too large, or not here within 30 seconds."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            value = from_json(await request.read(), allow_inf_nan=False)
    except TimeoutError as error:
        raise ApiError(408, "the request's body did not arrive in time") from error
    except ValueError as error:
        raise ApiError(400, str(error)) from error
    if not isinstance(value, dict):
        raise ApiError(400, "the request's body must be a JSON object")
    return value


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ollama's way to say no: JSON for the API's own errors, plain text for wrong addresses."""
    try:
        return await handler(request)
    except ApiError as error:
        return _json({"error": str(error)}, error.status)
    except EngineRefusal as error:
        return _json({"error": str(error)}, error.status)
    except EngineError as error:
        return _json({"error": _engine_text(error)}, 500)
    except web.HTTPRequestEntityTooLarge:
        return _json({"error": f"the request's body is over {MAX_BODY_BYTES} bytes"}, 413)
    except web.HTTPNotFound:
        return web.Response(status=404, text="404 page not found")
    except web.HTTPMethodNotAllowed:
        return web.Response(status=405, text="405 method not allowed")


@web.middleware
async def _loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Web pages are kept out: by the names they reach this port under, and by their Origin."""
    if "Origin" in request.headers or not is_loopback_host(request.headers.get("Host", "")):
        return web.Response(status=403)
    return await handler(request)
