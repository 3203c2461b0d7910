"""Refusals, status pages and connections of the router client, over real sockets."""

import asyncio
import json
import socket

import pytest

from idleclaw_tui.errors import (
    IdleClawError,
    NoNode,
    NotARouter,
    RateLimited,
    RouterBusy,
    RouterRefused,
    RouterUnreachable,
    UsageError,
)
from idleclaw_tui.router_client import RouterClient
from tests.client.asking import answer
from tests.fake_router_http import (
    FakeRouter,
    Refuse,
)


async def refused(client: RouterClient) -> IdleClawError:
    """Return the error that a chat is refused with."""
    with pytest.raises(IdleClawError) as caught:
        await answer(client)
    return caught.value


async def test_rate_limits(router: FakeRouter, client: RouterClient) -> None:
    router.refuse = Refuse(429, {"detail": "Too many requests"}, {"Retry-After": "3"})
    error = await refused(client)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3


async def test_a_model_nobody_has(router: FakeRouter, client: RouterClient) -> None:
    names = ["tiny:3b", "other\x1b[8m", "tinier:1b"]
    router.refuse = Refuse(503, {"detail": "No nodes ...", "models": names})
    error = await refused(client)
    assert isinstance(error, NoNode)
    assert error.models == ("tiny:3b", "other", "tinier:1b")
    assert error.nearest[0] == "tiny:3b"
    assert router.paths == []


async def test_the_original_tells_nobody_from_busy_only_by_its_list(
    router: FakeRouter, client: RouterClient
) -> None:
    router.refuse = Refuse(503, {"detail": "No nodes available with model tiny:1b"})
    assert isinstance(await refused(client), RouterBusy)
    router.models = {"models": ["tiny:3b"], "capabilities": {}}
    error = await refused(client)
    assert isinstance(error, NoNode)
    assert error.nearest == ("tiny:3b",)
    router.models = None
    assert isinstance(await refused(client), NoNode)


async def test_a_full_or_leaving_router(router: FakeRouter, client: RouterClient) -> None:
    router.refuse = Refuse(503, {"detail": "The router is shutting down"}, {"Retry-After": "5"})
    error = await refused(client)
    assert isinstance(error, RouterBusy)
    assert str(error) == "The router is shutting down. Try again in 5 s."


@pytest.mark.parametrize(
    ("refusal", "line"),
    [
        (Refuse(422, {"detail": [{"msg": "Too\x1b[2J long", "input": "x" * 99}]}), "Too long"),
        (Refuse(422, {"detail": "Total payload too large: 7"}), "refused: Total payload"),
        (Refuse(400, {"detail": "Message content not allowed"}), "not allowed."),
        (Refuse(502, b"<html>"), "HTTP status 502"),
        (Refuse(422, b"[" * 70_000), "HTTP status 422"),
        (Refuse(413, b"x" * 200_000), "HTTP status 413"),
        (Refuse(503, b"<html>"), "HTTP status 503"),
        (Refuse(308, b"", {"Location": "https://else.org"}), "moved to https://else.org"),
    ],
)
async def test_other_refusals(
    router: FakeRouter, client: RouterClient, refusal: Refuse, line: str
) -> None:
    router.refuse = refusal
    error = await refused(client)
    assert type(error) is RouterRefused
    assert error.status == refusal.status
    assert line in str(error)
    assert str(error).isprintable()


async def test_what_answers_without_events_is_no_router(
    router: FakeRouter, client: RouterClient
) -> None:
    router.refuse = Refuse(200, {"hello": "world"})
    assert isinstance(await refused(client), NotARouter)


async def test_compressed_answers_are_refused(router: FakeRouter, client: RouterClient) -> None:
    router.stream_headers["Content-Encoding"] = "gzip"
    assert isinstance(await refused(client), NotARouter)
    assert router.chats[0].headers["Accept-Encoding"] == "identity"


async def test_status_pages(router: FakeRouter, client: RouterClient) -> None:
    assert (await client.health()).node_count == 2
    models = await client.models()
    assert models.models == ("big:70b", "tiny:1b")
    assert models.capabilities["tiny:1b"].tool_calls
    assert (await client.metrics()).models_available[0].name == "tiny:1b"
    assert await client.network() is None


async def test_text_and_numbers_of_status_pages_are_cleaned(
    router: FakeRouter, client: RouterClient
) -> None:
    router.models = {
        "models": ["evil\x1b[2J\nforged line", "\x1b]52;c;aGk=\x07x"],
        "capabilities": {"evil\x1b[2J\nforged line": {"thinking": True}},
    }
    models = await client.models()
    assert models.models == ("evil forged line", "x")
    assert models.capabilities["evil forged line"].thinking
    router.health = {"status": "healthy", "uptime_seconds": 10**30, "node_count": -5}
    health = await client.health()
    assert health.uptime_seconds == 1 << 53
    assert health.node_count == 0


@pytest.mark.parametrize(
    "body",
    [
        {"models": "all"},
        b"<html>",
        b'{"models": ["\xff"]}',
        b"[" * 100_000,
        json.dumps({"models": ["x" * (5 << 20)]}).encode(),
    ],
)
async def test_a_page_that_is_none(
    router: FakeRouter, client: RouterClient, body: dict[str, str] | bytes
) -> None:
    router.models = body
    with pytest.raises(NotARouter):
        await client.models()


async def test_a_missing_page_that_every_router_has(
    router: FakeRouter, client: RouterClient
) -> None:
    router.health = None
    with pytest.raises(NotARouter, match="it has no /health"):
        await client.health()


async def test_status_refusals(router: FakeRouter, client: RouterClient) -> None:
    router.status_answer = (429, {"Retry-After": "2"})
    with pytest.raises(RateLimited):
        await client.health()


async def test_cookies_are_not_kept(router: FakeRouter, client: RouterClient) -> None:
    router.status_answer = (200, {"Set-Cookie": "who=you"})
    await client.health()
    await answer(client)
    assert "Cookie" not in router.chats[0].headers


def closed_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_nobody_listens() -> None:
    async with RouterClient(f"http://127.0.0.1:{closed_port()}") as client:
        for call in (client.health, client.network, lambda: answer(client)):
            with pytest.raises(RouterUnreachable) as caught:
                await call()
            assert caught.value.cause == "refused"


async def test_an_unknown_host() -> None:
    async with RouterClient("http://nowhere.invalid") as client:
        with pytest.raises(RouterUnreachable) as caught:
            await client.health()
    assert caught.value.cause in ("name", "refused")


async def test_tls_towards_a_server_without(router: FakeRouter) -> None:
    async with RouterClient(router.url.replace("http:", "https:")) as client:
        with pytest.raises(RouterUnreachable) as caught:
            await client.health()
    assert caught.value.cause == "tls"


async def test_a_server_that_hangs_up() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RouterClient(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(RouterUnreachable) as caught:
                await answer(client)
    assert caught.value.cause == "broken"


async def test_a_server_that_says_nothing() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RouterClient(f"http://127.0.0.1:{port}", read_seconds=0.2) as client:
            with pytest.raises(RouterUnreachable) as caught:
                await answer(client)
    assert caught.value.cause == "timeout"


async def test_this_machine_is_never_asked_through_a_proxy(
    router: FakeRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with RouterClient(router.url) as client:
        assert (await client.health()).node_count == 2


async def test_other_machines_are_asked_through_the_proxy(
    router: FakeRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", router.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with RouterClient("http://router.invalid") as client:
        assert (await client.health()).node_count == 2


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/root.crt")
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        RouterClient("https://router.example")


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(UsageError, match="HTTPS_PROXY"):
        RouterClient("https://router.invalid")
