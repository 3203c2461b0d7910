"""Losing the router, being refused by it, and coming back (A13, A18)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from idleclaw_tui.clock import Clock
from idleclaw_tui.node_events import LinkChanged
from idleclaw_tui.node_options import NodeTiming
from tests.fake_ollama import FakeOllama
from tests.fake_router_ws import FakeRouter
from tests.node.conftest import Share, Sharing
from tests.waiting import wait_until

MODEL = "smollm2:135m"


def states(sharing: Sharing) -> list[str]:
    return [event.state for event in sharing.events if isinstance(event, LinkChanged)]


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (1000, "", "closed the connection"),
        (1000, "heartbeat timeout", "not heard from"),
        (1001, "", "restarting"),
        (1012, "", "restarting"),
        (1013, "", "too much to do"),
        (4000, "\x1b[2J", "closed the connection"),
    ],
)
async def test_a_close_is_noticed_at_once_and_the_node_comes_back_as_itself(
    share: Share, code: int, reason: str, words: str
) -> None:
    async with share() as sharing:
        first = await sharing.connection()
        await first.close(code, reason)
        second = await sharing.connection(1)
        told = await sharing.link("waiting")
        assert (await second.answer(await second.request(model=MODEL)))[-1]["chunk"]["done"]
    assert words in told.detail
    assert first.register == second.register


async def test_a_broken_connection_stops_its_requests_and_the_node_comes_back(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        await node.request(model=MODEL)
        chat = await ollama.chat(0)
        node.drop()
        await chat.aborted.wait()
        ended = await sharing.ended()
        await sharing.connection(1)
    assert ended.state == "cancelled"
    assert "router was lost" in str(ended.error)


async def test_waits_grow_until_a_connection_lasted_a_minute(
    router: FakeRouter, share: Share
) -> None:
    now = 0.0
    ceilings: list[float] = []

    def uniform(low: float, high: float) -> float:
        ceilings.append(high)
        return low

    clock = Clock(monotonic=lambda: now, wall=lambda: now)
    async with share(uniform=uniform, clock=clock) as sharing:
        for index in range(4):
            await (await sharing.connection(index)).close(1012)
        node = await sharing.connection(4)
        await sharing.event(lambda _: states(sharing).count("connected") == 5)
        now = 60.0
        await node.close(1012)
        await sharing.connection(5)
    assert ceilings == [1, 2, 4, 8, 1]


async def test_a_router_that_comes_back_is_found_again(router: FakeRouter, share: Share) -> None:
    async with share(uniform=lambda low, high: 0.01) as sharing:
        await sharing.connection()
        await router.stop()
        lost = await sharing.link("waiting", lambda e: "No router answers" in (e.detail or ""))
        await router.start()
        await sharing.connection(1)
    assert router.url in lost.detail
    assert lost.retry_seconds == 0.01


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("too many nodes from this IP", "Stop one of the others"),
        ("invalid model name", "does not accept a model's name"),
        ("\x1b]0;owned\x07banned", "refused this node: banned."),
        ("", "The router refused this node."),
    ],
)
async def test_a_refused_registration_is_explained_and_retried_slowly(
    router: FakeRouter, share: Share, reason: str, words: str
) -> None:
    router.refusal = (1008, reason)
    async with share(uniform=lambda low, high: high) as sharing:
        told = await sharing.link("refused")
    assert words in told.detail
    assert told.retry_seconds == 120
    assert len(router.handshakes) == 1


async def test_a_refused_node_comes_back_when_its_time_has_come(
    router: FakeRouter, share: Share
) -> None:
    router.refusal = (1008, "too many nodes from this IP")
    async with share(timing=NodeTiming(refused_retry=0.01)) as sharing:
        await sharing.link("refused")
        router.refusal = None
        await sharing.connection()


@pytest.mark.parametrize(
    ("status", "headers", "state", "words", "delay"),
    [
        (429, {"Retry-After": "12"}, "waiting", "too many connections", 12),
        (503, {"Retry-After": "99999999999"}, "waiting", "HTTP 503", 600),
        (503, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, "waiting", "HTTP 503", 0),
        (404, {}, "refused", "no IdleClaw router", 60),
        (403, {}, "refused", "no IdleClaw router", 60),
        (307, {"Location": "ws://127.0.0.1:1/"}, "refused", "another address", 60),
    ],
)
async def test_a_handshake_that_fails_is_explained(
    router: FakeRouter,
    share: Share,
    status: int,
    headers: dict[str, str],
    state: str,
    words: str,
    delay: float,
) -> None:
    router.handshake = (status, headers)
    async with share() as sharing:
        told = await sharing.link(state)
    assert words in told.detail
    assert told.retry_seconds == delay


async def test_a_router_that_never_answers_the_registration_is_none(
    router: FakeRouter, share: Share
) -> None:
    router.silent = True
    async with share(timing=NodeTiming(register=0.1)) as sharing:
        told = await sharing.link("refused")
    assert "does not answer" in told.detail


@asynccontextmanager
async def tcp_server(answer: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("answer", [b"", b"220 mail ready\r\n"])
async def test_what_speaks_no_http_is_told_as_broken(share: Share, answer: bytes) -> None:
    async with tcp_server(answer) as url, share(server=url) as sharing:
        told = await sharing.link("waiting")
    assert "broke" in told.detail
    assert url in told.detail


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("http://no-such-host.invalid", "cannot be found"),
        ("http://" + "x" * 70 + ".example", "cannot be found"),
        ("http://127.0.0.1:1", "No router answers"),
    ],
)
async def test_a_router_that_cannot_be_reached_is_told_with_what_to_do(
    share: Share, server: str, words: str
) -> None:
    async with share(server=server) as sharing:
        told = await sharing.link("waiting")
    assert words in told.detail


async def test_a_router_without_tls_is_told_where_tls_was_asked_for(share: Share) -> None:
    async with tcp_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        async with share(server=url.replace("http:", "https:")) as sharing:
            told = await sharing.link("waiting")
    assert "no secure connection" in told.detail


async def test_the_next_try_can_be_now(router: FakeRouter, share: Share) -> None:
    await router.stop()
    async with share(uniform=lambda low, high: 3600.0) as sharing:
        waiting = await sharing.link("waiting")
        assert waiting.retry_seconds == 3600.0
        await router.start()
        sharing.node.try_now()
        node = await sharing.connection()
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]


async def test_a_try_that_fails_waits_again(router: FakeRouter, share: Share) -> None:
    await router.stop()
    async with share(uniform=lambda low, high: 3600.0) as sharing:
        await sharing.link("waiting")
        sharing.node.try_now()
        await wait_until(lambda: states(sharing).count("waiting") == 2, "the second try")
        assert not sharing.task.done()


async def test_an_ollama_that_came_back_is_looked_at_now(ollama: FakeOllama, share: Share) -> None:
    await ollama.stop()
    async with share(timing=NodeTiming(ollama_retry=3600.0)) as sharing:
        await sharing.link("waiting")
        await ollama.start()
        sharing.node.try_now()
        await sharing.connection()
