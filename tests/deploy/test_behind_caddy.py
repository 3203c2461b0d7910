"""A router behind the shipped Caddyfile: what people do there, over TLS."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.client.running import run_program
from tests.deploy.caddy import Front, caddy, free_port
from tests.router.consumer import Answer, body, content, finish
from tests.router.program import Program, program
from tests.router.scripted_node import ScriptedNode
from tests.waiting import wait_until

TOKEN = "0123456789abcdef0123456789abcdef"


@asynccontextmanager
async def _router(port: int, *flags: str) -> AsyncIterator[Program]:
    trusting = ("--port", str(port), "--trusted-proxies", "127.0.0.1", "--address-limits", "on")
    async with program(*trusting, "--drain-seconds", "20", *flags) as server:
        yield server


@asynccontextmanager
async def _public(home: Path, *flags: str) -> AsyncIterator[tuple[Front, Program]]:
    port = free_port()
    async with _router(port, *flags) as server, caddy(port, home) as front:
        yield front, server


@asynccontextmanager
async def _asking(http: httpx.AsyncClient, prompt: str) -> AsyncIterator[Answer]:
    async with http.stream("POST", "/api/chat", json=body(prompt)) as response:
        assert response.status_code == 200
        yield Answer(response)


async def test_an_answer_comes_token_by_token_over_tls(tmp_path: Path) -> None:
    """The node sends the next token only once the consumer has the one before."""
    async with AsyncExitStack() as stack:
        front, _ = await stack.enter_async_context(_public(tmp_path))
        node = await stack.enter_async_context(front.node())
        assert (await node.register())["type"] == "registered"
        http = await stack.enter_async_context(front.at())
        answer = await stack.enter_async_context(_asking(http, "hi"))
        asked = await node.asked()
        for number in range(20):
            await node.chunk(asked.request_id, f"{number},")
            text = ""
            while not text:
                text = content(await answer.event())
            assert text == f"{number},"
        await node.done(asked.request_id, "end")
        assert finish((await answer.rest())[-1]) == "stop"


async def test_a_consumer_that_leaves_is_noticed_behind_the_proxy(tmp_path: Path) -> None:
    async with _public(tmp_path) as (front, _), front.node() as node, front.at() as http:
        await node.register()
        async with _asking(http, "hi") as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "first")
            await answer.event()
        assert await node.cancelled() == asked.request_id


async def test_addresses_are_those_of_the_clients_whatever_they_claim(tmp_path: Path) -> None:
    """Each address has one chat a minute, and no claim of a client makes it another one."""
    async with AsyncExitStack() as stack:
        front, _ = await stack.enter_async_context(_public(tmp_path, "--chats-per-minute", "1"))
        node = await stack.enter_async_context(front.node())
        await node.register()
        one = await stack.enter_async_context(front.at("127.0.7.2"))
        other = await stack.enter_async_context(front.at("127.0.7.3"))
        for http in (one, other):
            assert await _asked_once(http, node) == 200
        claims = {"X-Forwarded-For": "198.51.100.4, 127.0.0.1", "Forwarded": "for=198.51.100.5"}
        refused = await one.post("/api/chat", json=body(), headers=claims)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0


async def test_nodes_count_by_their_own_address_too(tmp_path: Path) -> None:
    limits = ("--nodes-per-address", "1", "--admin-token", TOKEN)
    async with AsyncExitStack() as stack:
        front, _ = await stack.enter_async_context(_public(tmp_path, *limits))
        for address in ("127.0.7.1", "127.0.7.2"):
            node = await stack.enter_async_context(front.node(address))
            assert (await node.register(address))["type"] == "registered"
        again = await stack.enter_async_context(
            front.node("127.0.7.1", {"X-Forwarded-For": "203.0.113.9"})
        )
        with pytest.raises(ConnectionClosed):
            await again.register("one too many")
        http = await stack.enter_async_context(front.at())
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert (await http.get("/admin/nodes", headers=bearer)).status_code == 404


async def _asked_once(http: httpx.AsyncClient, node: ScriptedNode) -> int:
    async with http.stream("POST", "/api/chat", json=body()) as response:
        asked = await node.asked()
        await node.done(asked.request_id, "yes")
        await Answer(response).rest()
        return response.status_code


async def test_a_restart_behind_the_proxy_breaks_no_answer(tmp_path: Path) -> None:
    """What runs ends whole; what is asked while no router is there waits for the next one."""
    port = free_port()
    async with caddy(port, tmp_path) as front, front.at() as http:
        async with _router(port) as old, front.node() as node:
            await node.register()
            async with _asking(http, "hi") as answer:
                asked = await node.asked()
                await node.chunk(asked.request_id, "before,")
                old.process.send_signal(signal.SIGTERM)
                await wait_until(lambda: "draining" in old.log, "the drain to begin")
                await node.chunk(asked.request_id, "during,")
                await node.done(asked.request_id, "end")
                events = await answer.rest()
            assert "".join(map(content, events)) == "before,during,end"
            assert finish(events[-1]) == "stop"
            assert await node.close_frame() == (1001, "server shutting down")
            assert await old.exit_code() == 0
        waiting = asyncio.create_task(http.get("/health"))
        await asyncio.sleep(0)
        async with _router(port):
            assert (await waiting).status_code == 200


async def test_the_programs_work_through_it(tmp_path: Path) -> None:
    """`status` over https, with nothing but the authority's certificate in the environment."""
    async with _public(tmp_path) as (front, _), front.node() as node:
        await node.register()
        ran = await run_program("--server", front.url, "status", SSL_CERT_FILE=str(front.root))
        assert ran.code == 0, ran.err
        assert "tiny:1b" in ran.out
