"""HTTP to the local Ollama: the only module that knows the `ollama` client.

The client is built with explicit timeouts, without redirects, without proxies or an API key from
the environment, and without kept connections: a closed connection is how a request is cancelled.
Its typed calls are not used. They drop what has to be kept (the ids of tool calls, capabilities,
`remote_host`), read `images` that look like paths from the disk, refuse `think="max"`, split
lines inside of JSON strings (at U+0085, U+2028, U+2029), hold a line of any length, and raise
AttributeError on an error that is JSON but no object. So bytes go to and come from the HTTP client
inside it, and the bounds are set here.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import ollama
from pydantic_core import from_json

from idleclaw_tui.errors import UsageError
from idleclaw_tui.ollama import failures
from idleclaw_tui.ollama.failures import OllamaFailure
from idleclaw_tui.ollama.host import is_loopback
from idleclaw_tui.ollama.json_lines import JsonLines, LineTooLong

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Bound of every answer that is no stream; a larger one counts as not from Ollama."""
MAX_ERROR_BYTES: Final = 64 * 1024
MAX_CONNECTIONS: Final = 32


@dataclass(frozen=True, slots=True)
class BridgeTimeouts:
    """How long Ollama may take, in seconds.

    `first_token` includes waiting in Ollama's queue, loading the model and reading the prompt
    (nothing is sent before, not even headers); `gap` is the longest silence after that, long
    because calls of tools are held back until they are whole.
    """

    connect: float = 3.0
    write: float = 30.0
    pool: float = 5.0
    answer: float = 10.0
    first_token: float = 300.0
    gap: float = 120.0


DEFAULT_TIMEOUTS: Final = BridgeTimeouts()


class _Client(ollama.AsyncClient):
    """The `ollama` client, with its HTTP client in reach."""

    @property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client, with base URL, headers and limits set."""
        client: httpx.AsyncClient = self._client
        return client


class OllamaHttp:
    """The Ollama at the base URL `url`; methods raise `OllamaFailure` and nothing else.

    Raises `UsageError` where `url` is no URL.
    """

    def __init__(self, url: str, timeouts: BridgeTimeouts) -> None:
        self.url = url.rstrip("/")
        self._timeouts = timeouts
        self._http = _client(self.url, timeouts).http

    async def aclose(self) -> None:
        """Close what connections there are."""
        await self._http.aclose()

    async def lines(self, path: str, body: bytes) -> AsyncGenerator[bytes, None]:
        """Yield the lines that a POST of `body` is answered with, until the stream ends.

        Closing the generator, or cancelling the task that waits in it, closes the connection.
        """
        first = _timeout(self._timeouts, self._timeouts.first_token)
        call = self._http.build_request("POST", path, content=body, timeout=first)
        with self._mapped(call):
            async with self._sent(call) as response, aclosing(_lines(response)) as lines:
                # httpcore reads this when the body is first asked for: headers come with a token.
                call.extensions["timeout"]["read"] = self._timeouts.gap
                async for line in lines:
                    yield line

    async def json(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return the JSON object that Ollama answers with."""
        call = self._http.build_request(method, path, json=body)
        with self._mapped(call):
            async with asyncio.timeout(self._timeouts.answer), self._sent(call) as response:
                data = await _read(response, MAX_ANSWER_BYTES)
        try:
            answer = from_json(data) if data is not None else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise failures.not_ollama(self.url)
        return answer

    @asynccontextmanager
    async def _sent(self, call: httpx.Request) -> AsyncIterator[httpx.Response]:
        response = await self._http.send(call, stream=True)
        try:
            if response.is_redirect:
                raise failures.not_ollama(self.url)
            if response.status_code != httpx.codes.OK:
                text = await _read(response, MAX_ERROR_BYTES) or b""
                raise failures.refused(response.status_code, text.decode(errors="replace"))
            yield response
        finally:
            await response.aclose()

    @contextmanager
    def _mapped(self, call: httpx.Request) -> Iterator[None]:
        """Turn every error of the HTTP client into an `OllamaFailure`."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, TimeoutError):
            raise failures.unreachable(self.url) from None
        except httpx.TimeoutException:
            raise failures.silent(call.extensions["timeout"]["read"]) from None
        except LineTooLong:
            raise OllamaFailure("failed", failures.TOO_LONG) from None
        except httpx.HTTPError:
            raise OllamaFailure("failed", failures.BROKEN_OFF) from None


def _client(url: str, timeouts: BridgeTimeouts) -> _Client:
    headers = {"Accept-Encoding": "identity"}
    try:
        if is_loopback(urlsplit(url).hostname or ""):
            headers["Host"] = "localhost"  # An Ollama bound to loopback refuses other names.
        client = _Client(
            url,
            headers=headers,
            timeout=_timeout(timeouts, timeouts.answer),
            follow_redirects=False,
            trust_env=False,
            verify=url.startswith("https:"),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
        )
    except (httpx.InvalidURL, ValueError):
        raise UsageError(
            "OLLAMA_HOST is not an address. Give one like http://localhost:11434."
        ) from None
    client.http.headers.pop("Authorization", None)  # OLLAMA_API_KEY is meant for ollama.com.
    return client


def _timeout(timeouts: BridgeTimeouts, read: float) -> httpx.Timeout:
    return httpx.Timeout(
        connect=timeouts.connect, write=timeouts.write, pool=timeouts.pool, read=read
    )


async def _read(response: httpx.Response, limit: int) -> bytes | None:
    """Return the body, None where it is larger than `limit`."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the body's lines; the response is closed by whoever opened it."""
    splitter = JsonLines()
    async for data in response.aiter_raw():
        for line in splitter.decode(data):
            yield line
    for line in splitter.flush():
        yield line
