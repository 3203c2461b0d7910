"""The consumer's side of a router's HTTP API, over httpx and httpx-sse.

Errors of httpx end here: callers see `IdleClawError`s, and once an answer has begun, a `Finished`.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from httpx_sse import EventSource, ServerSentEvent

from idleclaw_protocol.near_names import nearest_names
from idleclaw_protocol.status import Health, Metrics, ModelList, Network
from idleclaw_tui.connection_causes import cause_of
from idleclaw_tui.errors import (
    IdleClawError,
    NoEvents,
    NoNode,
    NotARouter,
    RouterBusy,
    RouterUnreachable,
    UsageError,
)
from idleclaw_tui.http_bounds import (
    ANSWER,
    ENDLESS,
    BoundedEvents,
    BoundExceeded,
    EventBounds,
    read_body,
    refuse_compression,
)
from idleclaw_tui.network_stream import NetworkStream, NotUnderstood
from idleclaw_tui.ollama_host import is_loopback
from idleclaw_tui.router_answers import StatusModel, read_refusal, read_status

if TYPE_CHECKING:
    from idleclaw_protocol.chat import ChatBody
    from idleclaw_tui.chat_updates import ChatUpdate

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
"""Silence after which a stream is given up: four of the comments a router sends every 15 s."""

STATUS_SECONDS: Final = 15.0
"""The whole time a status page may take."""

MAX_STATUS_BYTES: Final = 4 << 20
MAX_REFUSAL_BYTES: Final = 64 << 10
PARSED_AT_ONCE: Final = 64 << 10
"""Bytes or characters of JSON that take a few milliseconds."""

Parsed = TypeVar("Parsed")

SILENT: Final = "The router fell silent before the answer was complete. Ask again."
_DRAIN_SECONDS: Final = 1.0


class RouterClient:
    """One router, for the lifetime of an `async with`; several chats may run at once.

    `server` is a URL as `settings.router_url` returns it. Proxies of the environment are used
    except towards this machine itself. Cookies are not kept, redirects not followed.
    """

    def __init__(
        self,
        server: str,
        *,
        read_seconds: float = READ_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server
        self._clock = clock
        try:
            self._http = httpx.AsyncClient(
                timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
                verify=_trust(server),
                trust_env=not is_loopback(urlsplit(server).hostname or ""),
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                headers={"User-Agent": "idleclaw-tui", "Accept-Encoding": "identity"},
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                "The proxy that this machine's variables name cannot be used. "
                "Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY."
            ) from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def health(self) -> Health:
        """Return `/health`. Raises an `IdleClawError`, as all of these do."""
        return await self._required("/health", Health)

    async def models(self) -> ModelList:
        """Return `/api/models`; names are clean, but need not be ones that Ollama allows."""
        return await self._required("/api/models", ModelList)

    async def metrics(self) -> Metrics:
        """Return `/metrics`."""
        return await self._required("/metrics", Metrics)

    async def network(self) -> Network | None:
        """Return `/api/network`, or None where the router has no such page, as the original."""
        return await self._status("/api/network", Network)

    async def network_events(self, stream: NetworkStream) -> AsyncGenerator[Network, None]:
        """Yield the network now and after each of its changes; use it inside `aclosing`.

        `stream` remembers what was told before, so that a second connection goes on where the
        first broke off. Ends where the router ends it.

        Raises:
            NoEvents: the router has no such stream.
            IdleClawError: it is unreachable, refuses, or sends what is not understood.
        """
        headers = {"Accept": "text/event-stream"}
        if stream.last_event_id:
            headers["Last-Event-ID"] = stream.last_event_id
        url = f"{self.server}/api/network/events"
        request = self._http.build_request("GET", url, headers=headers)
        with self._errors_mapped():
            async with self._events(request, ENDLESS) as events:
                if stream.network is not None:
                    yield stream.network
                async for event in events:
                    decode = partial(stream.decode, event.event, event.id, event.data)
                    known = await _parsed(len(event.data), decode)
                    if known is not None:
                        yield known

    async def chat(self, body: "ChatBody") -> AsyncGenerator["ChatUpdate", None]:
        """Post a chat and yield what comes; use it inside `contextlib.aclosing`.

        Raises an `IdleClawError` before the first update, or ends in exactly one `Finished`.
        Closing the generator closes the connection at once, upon which the router cancels.
        """
        from idleclaw_tui.chat_stream import BROKEN_OFF, TOO_LONG, ChatStream

        stream, error = ChatStream(), BROKEN_OFF
        request = self._http.build_request(
            "POST",
            f"{self.server}/api/chat",
            content=body.model_dump_json(),
            headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
        )
        async with self._events(request, ANSWER, body.model) as events:
            try:
                async for event in events:
                    for update in stream.decode(event.data) if event.data else ():
                        yield update
                    if stream.finished:
                        await _drain(events)
                        break
            except httpx.ReadTimeout:
                error = SILENT
            except httpx.HTTPError:
                error = BROKEN_OFF
            except BoundExceeded:
                error = TOO_LONG
        for update in stream.flush(error):
            yield update

    @asynccontextmanager
    async def _events(
        self, request: httpx.Request, bounds: EventBounds, model: str | None = None
    ) -> AsyncIterator[AsyncGenerator[ServerSentEvent, None]]:
        with self._errors_mapped():
            response = await self._http.send(request, stream=True)
        try:
            with self._errors_mapped():
                await self._check_stream(response, model)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = BoundedEvents(response.stream, self._clock, bounds)
            response.encoding = "utf-8"
            async with aclosing(EventSource(response).aiter_sse()) as events:
                yield events
        finally:
            await response.aclose()

    async def _check_stream(self, response: httpx.Response, model: str | None) -> None:
        if response.status_code == 404 and model is None:
            raise NoEvents(self.server)
        if response.status_code != 200:
            raise await self._explained(await self._refusal(response, model))
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "text/event-stream":
            raise NotARouter(self.server, "it answers with something else than events")
        refuse_compression(response)

    async def _refusal(self, response: httpx.Response, model: str | None = None) -> IdleClawError:
        async with asyncio.timeout(STATUS_SECONDS):
            try:
                body = await read_body(response, MAX_REFUSAL_BYTES)
            except BoundExceeded:
                body = b""
        headers = response.headers
        return read_refusal(
            response.status_code, headers.get("retry-after"), headers.get("location"), body, model
        )

    async def _explained(self, error: IdleClawError) -> IdleClawError:
        """Tell "busy" from "nobody has it" where the router, like the original, does not."""
        if not isinstance(error, NoNode) or error.models:
            return error
        try:
            names = (await self.models()).models
        except IdleClawError:
            return error
        if error.model in names:
            return RouterBusy(error.status, f"All nodes with {error.model} are busy")
        return NoNode(error.model, nearest=nearest_names(error.model, names), models=names)

    async def _required(self, path: str, kind: type[StatusModel]) -> StatusModel:
        page = await self._status(path, kind)
        if page is None:
            raise NotARouter(self.server, f"it has no {path}")
        return page

    async def _status(self, path: str, kind: type[StatusModel]) -> StatusModel | None:
        with self._errors_mapped():
            async with (
                asyncio.timeout(STATUS_SECONDS),
                self._http.stream("GET", f"{self.server}{path}") as response,
            ):
                if response.status_code == 404:
                    return None
                if response.status_code != 200:
                    raise await self._refusal(response)
                body = await read_body(response, MAX_STATUS_BYTES)
                page = await _parsed(len(body), partial(read_status, kind, body))
        if page is None:
            raise NotARouter(self.server, f"its {path} is not understood")
        return page

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        try:
            yield
        except httpx.InvalidURL as error:
            raise UsageError(f"{self.server} is not an address. Check --server.") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise RouterUnreachable(self.server, cause_of(error)) from error
        except BoundExceeded as error:
            raise NotARouter(self.server, "it answers with more than it was asked for") from error
        except NotUnderstood as error:
            raise NotARouter(self.server, "its changes are not understood") from error


def _trust(server: str) -> ssl.SSLContext:
    """Return whom a router must be vouched for by: the public authorities, or `SSL_CERT_FILE`.

    That variable holds towards this machine too, unlike the proxies. Towards an http address
    nobody is asked, so that the authorities, as dear as the request, are not even read.
    Raises `UsageError` where the variable names no certificates.
    """
    if urlsplit(server).scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise UsageError(
            "The certificates that this machine's variables name cannot be read. "
            "Check SSL_CERT_FILE and SSL_CERT_DIR."
        ) from error


async def _parsed(size: int, parse: Callable[[], Parsed]) -> Parsed:
    """Parse beside the event loop what would hold it up."""
    return await asyncio.to_thread(parse) if size > PARSED_AT_ONCE else parse()


async def _drain(events: AsyncGenerator[ServerSentEvent, None]) -> None:
    """Read on to the end, which is due now, so that the connection can be used again."""
    with suppress(TimeoutError, httpx.HTTPError, BoundExceeded):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in events:
                pass
