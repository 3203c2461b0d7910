"""The search tool against a real HTTP server in SearXNG's form."""

import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from idleclaw_server.errors import ToolFailed
from idleclaw_server.offered_tools import SearchArguments
from idleclaw_server.web_search import MAX_BODY_BYTES, SearxNG
from tests.tools.searxng import RESULT, searching

_OTTERS = SearchArguments(query="otters")


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[SearxNG]:
    client = SearxNG(url)
    try:
        yield client
    finally:
        await client.close()


@pytest.mark.parametrize("path", ["", "/behind/a/path", "/slash/"])
async def test_results_become_text_for_a_model(path: str) -> None:
    async with searching(path.rstrip("/")) as engine, _client(engine.url) as client:
        text = await client.search(SearchArguments(query="otters & café #1"))
    assert engine.asked == [{"q": "otters & café #1", "format": "json", "categories": "general"}]
    assert engine.elsewhere == 0
    assert text.splitlines()[1:] == [
        "- Otters",
        "  https://example.org/otters",
        "  Otters hold hands.",
    ]


async def test_nothing_found_is_said() -> None:
    async with searching() as engine, _client(engine.url) as client:
        engine.results = []
        assert await client.search(_OTTERS) == "Nothing was found."


async def test_results_are_few_short_and_clean() -> None:
    """A7: a web page is a stranger's text as well."""
    async with searching() as engine, _client(engine.url) as client:
        hostile = {"title": "\x1b[31mred\u202e\n" + "x" * 500, "url": "https://a/" + "b" * 900}
        engine.results = [hostile | {"content": "c" * 9_999}, *[RESULT] * 20]
        text = await client.search(_OTTERS)
    lines = text.splitlines()
    assert len(lines) == 1 + 5 * 3
    assert max(map(len, lines)) <= 302
    assert "\x1b" not in text
    assert "\u202e" not in text


async def test_entries_of_a_wrong_form_are_passed_over() -> None:
    async with searching() as engine, _client(engine.url) as client:
        engine.results = [
            None,
            "text",
            {"title": 5},
            {"title": "no address"},
            {"title": "x", "url": "javascript:alert(1)"},
            {"title": "no text", "url": "http://a/", "content": None},
        ]
        text = await client.search(_OTTERS)
    assert text.splitlines()[1:] == ["- no text", "  http://a/"]


@pytest.mark.parametrize("target", ["/elsewhere", "http://127.0.0.1:9/", "//127.0.0.1:9/x"])
async def test_a_redirect_is_not_followed(target: str) -> None:
    """A22: only the configured upstream is ever contacted."""
    async with searching() as engine, _client(engine.url) as client:
        engine.status, engine.headers = 302, {"Location": target}
        with pytest.raises(ToolFailed, match="status 302"):
            await client.search(_OTTERS)
        assert engine.elsewhere == 0


@pytest.mark.parametrize(
    "query", ["http://127.0.0.1:9/", "@evil/", "../../admin", "x&format=html", "\r\nHost: evil"]
)
async def test_a_query_is_never_more_than_a_query(query: str) -> None:
    """A22: what a model writes cannot change where the request goes."""
    async with searching() as engine, _client(engine.url) as client:
        await client.search(SearchArguments(query=query))
    assert engine.asked == [{"q": query, "format": "json", "categories": "general"}]
    assert engine.elsewhere == 0


@pytest.mark.parametrize("status", [403, 404, 429, 500])
async def test_an_error_status_is_a_failure(status: int) -> None:
    async with searching() as engine, _client(engine.url) as client:
        engine.status = status
        with pytest.raises(ToolFailed, match=f"answered with status {status}"):
            await client.search(_OTTERS)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"results": 5}', b"\xff\xfe", b"[" * 10_000, b"{}"]
)
async def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    async with searching() as engine, _client(engine.url) as client:
        engine.body = body
        with pytest.raises(ToolFailed, match="no list of results"):
            await client.search(_OTTERS)


async def test_an_endless_answer_is_cut() -> None:
    """A22: what an upstream sends is bounded, also where it is compressed."""
    async with searching() as engine, _client(engine.url) as client:
        engine.body = b'{"results": ["' + b"x" * MAX_BODY_BYTES + b'"]}'
        with pytest.raises(ToolFailed, match="sent too much"):
            await client.search(_OTTERS)
        engine.body = gzip.compress(b" " * 50_000_000)
        engine.headers = {"Content-Encoding": "gzip"}
        with pytest.raises(ToolFailed, match="no list of results"):
            await client.search(_OTTERS)


async def test_an_upstream_that_is_not_there_is_a_failure() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with _client(f"http://127.0.0.1:{unused.getsockname()[1]}") as client:
            with pytest.raises(ToolFailed, match="cannot be reached"):
                await client.search(_OTTERS)


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A22: the environment does not decide who sees the queries."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with searching() as engine, _client(engine.url) as client:
        assert "Otters" in await client.search(_OTTERS)
