"""Arbitrary requests: whatever comes, the answer is never a 500 and the next one is served."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import anyio
import anyio.from_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idleclaw_protocol.chat import ChatBody
from tests.defences.running import defended
from tests.router.consumer import body
from tests.router.raw_http import tcp

PATHS = (
    "/health",
    "/health/ready",
    "/metrics",
    "/api/models",
    "/api/network",
    "/api/chat",
    "/admin/nodes",
    "/ws/node",
)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "FROB")
HEADERS = (
    "accept",
    "authorization",
    "access-control-request-method",
    "access-control-request-headers",
    "content-encoding",
    "content-length",
    "content-type",
    "connection",
    "expect",
    "host",
    "origin",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
)
_words = st.sampled_from(
    (
        "",
        "application/json",
        "application/json; charset=klingon",
        "text/plain;q=x",
        "Bearer x",
        "websocket",
        "Upgrade",
        "keep-alive",
        "chunked",
        "gzip",
        "13",
        "dGhlIHNhbXBsZSBub25jZQ==",
        "permessage-deflate; client_max_window_bits=99",
        "100-continue",
        "https://a.example",
        "POST",
        "-1",
        "5",
        "1, 2, 3",
        "[::1]:80, x",
    )
)
_bytes = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
_values = _words.map(str.encode) | _bytes
_header = st.tuples(
    st.sampled_from(HEADERS) | st.text("abcxyz-_!", min_size=1, max_size=9), _values
)
_targets = st.sampled_from(PATHS) | st.text(min_size=1, max_size=30).map(lambda text: "/" + text)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_bodies = st.fixed_dictionaries(
    {},
    optional={
        "model": _json | st.just("tiny:1b"),
        "messages": _json | st.lists(st.fixed_dictionaries({"role": _json, "content": _json})),
        "think": _json,
        "extra": _json,
    },
)


class Served:
    """A router in a thread of its own, for tests that are not asynchronous."""

    def __init__(self, portal: anyio.from_thread.BlockingPortal, url: str) -> None:
        self._portal = portal
        self.url = url

    def exchange(self, raw: bytes) -> bytes:
        """Send bytes, end the sending side by closing, and return what was answered first."""
        return self._portal.call(self._exchange, raw)

    async def _exchange(self, raw: bytes) -> bytes:
        async with tcp(self.url) as stream:
            with suppress(ConnectionError):
                await stream.send(raw)
            with anyio.move_on_after(0.3):
                return await stream.receive()
        return b""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with anyio.from_thread.start_blocking_portal() as portal:
        open_door = {"address_limits": False, "cors_origins": "https://a.example"}
        settings: dict[str, Any] = open_door | {"admin_token": "x" * 16, "trusted_proxies": "::/0"}
        with portal.wrap_async_context_manager(defended(None, **settings)) as router:
            yield Served(portal, router.url)


@pytest.fixture(autouse=True)
def anyio_backend() -> str:
    """The router runs on a plain event loop here."""
    return "asyncio"


def _status(answer: bytes) -> int | None:
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else None


_LOOSE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@_LOOSE
@given(st.sampled_from(METHODS), _targets, st.lists(_header, max_size=8), st.binary(max_size=200))
def test_no_request_is_a_500(
    served: Served, method: str, target: str, headers: list[tuple[str, bytes]], content: bytes
) -> None:
    """A9: method, path, headers and body may be anything."""
    lines = [f"{method} ".encode() + target.encode("utf-8", "replace") + b" HTTP/1.1", b"host: x"]
    lines += [name.encode() + b": " + value for name, value in headers]
    lines.append(f"content-length: {len(content)}".encode())
    status = _status(served.exchange(b"\r\n".join(lines) + b"\r\n\r\n" + content))
    assert status is None or status < 500 or status == 503
    assert _status(served.exchange(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")) == 200


@_LOOSE
@given(st.binary(max_size=300))
def test_no_bytes_are_a_500(served: Served, raw: bytes) -> None:
    """A9: what is no HTTP at all is 400 or nothing."""
    assert _status(served.exchange(raw + b"\r\n\r\n")) in (None, 400, 404)


def _chat(raw: bytes) -> bytes:
    head = (
        "POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


@_LOOSE
@given(_bodies | _json)
def test_a_body_is_a_chat_or_a_422(served: Served, value: object) -> None:
    """A9: the schema decides, and nothing in between."""
    answer = served.exchange(_chat(json.dumps(value).encode()))
    assert _status(answer) in (422, 503)
    assert len(answer) < 700
    if _status(answer) == 503:
        assert ChatBody.model_validate(value)


@_LOOSE
@given(st.binary(max_size=100))
def test_a_body_that_is_no_json_is_a_422(served: Served, raw: bytes) -> None:
    """A9: bytes are refused as calmly as wrong fields."""
    assert _status(served.exchange(_chat(raw))) == 422
    assert _status(served.exchange(_chat(json.dumps(body()).encode()))) == 503
