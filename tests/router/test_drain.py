"""The end of a router: nothing that runs is lost, and everybody is told."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack

import anyio
import httpx
import pytest

from tests.router.consumer import Answer, asking, body, client, content, finish
from tests.router.program import program
from tests.router.running import BOTH_LOOPS, routing
from tests.router.scripted_node import Asked, ScriptedNode, registered
from tests.waiting import wait_until

pytestmark = BOTH_LOOPS


async def test_sigterm_loses_nothing_that_runs() -> None:
    """16 running streams get every chunk and their end; then nodes hear 1001, and it exits 0."""
    async with program("--drain-seconds", "20") as server, AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(registered(server.url, f"n{number}", slots=8))
            for number in range(2)
        ]
        streams: list[tuple[ScriptedNode, Asked]] = []
        answers: dict[str, Answer] = {}
        for number in range(16):
            prompt = f"p{number}"
            answers[prompt] = await stack.enter_async_context(asking(server.url, prompt))
        for node in nodes:
            streams += [(node, await node.asked()) for _ in range(8)]
        for node, asked in streams:
            await node.chunk(asked.request_id, f"{asked.prompt}:")
        server.process.send_signal(signal.SIGTERM)
        await wait_until(lambda: "draining" in server.log, "the drain to begin")
        for number in range(50):
            for node, asked in streams:
                await node.chunk(asked.request_id, f"{number},")
        for node, asked in streams:
            await node.done(asked.request_id, "end")
        for prompt, answer in answers.items():
            events = await answer.rest()
            expected = f"{prompt}:" + "".join(f"{number}," for number in range(50)) + "end"
            assert "".join(map(content, events)) == expected
            assert finish(events[-1]) == "stop"
        for node in nodes:
            assert await node.close_frame() == (1001, "server shutting down")
        assert await server.exit_code() == 0


async def test_while_draining_new_chats_are_refused() -> None:
    """Over an open connection with 503 and Retry-After; a new one is not accepted at all."""
    async with program("--drain-seconds", "20") as server:
        async with registered(server.url) as node, client(server.url) as http:
            assert (await http.get("/health")).status_code == 200
            async with asking(server.url) as answer:
                asked = await node.asked()
                server.process.send_signal(signal.SIGTERM)
                await wait_until(lambda: "draining" in server.log, "the drain to begin")
                refused = await http.post("/api/chat", json=body())
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) > 0
                with pytest.raises(httpx.ConnectError):
                    async with client(server.url) as another:
                        await another.get("/health")
                await node.answer(asked.request_id, "x")
                await answer.rest()
        assert await server.exit_code() == 0


async def test_what_is_not_done_in_time_ends_with_an_error() -> None:
    async with program("--drain-seconds", "0.3") as server, registered(server.url, slots=1) as node:
        async with asking(server.url) as running, asking(server.url) as waiting:
            asked = await node.asked()
            await node.chunk(asked.request_id, "half")
            await waiting.event()
            server.process.send_signal(signal.SIGTERM)
            for answer in (running, waiting):
                assert (await answer.rest())[-1]["error"]["code"] == "shutting_down"
            assert await node.cancelled() == asked.request_id, "nothing new was started"
        assert await node.close_frame() == (1001, "server shutting down")
        assert await server.exit_code() == 0


async def test_those_who_wait_are_served_while_there_is_time() -> None:
    async with routing() as router, registered(router.url, slots=1) as node:
        async with asking(router.url, "one") as one, asking(router.url, "two") as two:
            await two.event()
            drained = asyncio.ensure_future(router.drain(10))
            for answer in (one, two):
                await node.answer((await node.asked()).request_id, "x")
                await answer.rest()
        await drained
        assert (await node.close_frame())[0] == 1001


async def test_a_second_signal_ends_the_wait() -> None:
    """Whoever asks twice does not want to wait; consumers are still told."""
    async with program("--drain-seconds", "600") as server, registered(server.url) as node:
        async with asking(server.url) as answer:
            await node.asked()
            server.process.send_signal(signal.SIGTERM)
            await wait_until(lambda: "draining" in server.log, "the drain to begin")
            server.process.send_signal(signal.SIGTERM)
            assert (await answer.rest())[-1]["error"]["code"] == "shutting_down"
        assert await server.exit_code() == 0


async def test_an_idle_router_stops_at_once() -> None:
    async with program() as server:
        server.process.send_signal(signal.SIGINT)
        assert await server.exit_code() == 0
    assert "Traceback" not in server.log


async def test_an_address_in_use_is_one_clear_line_and_exit_code_1() -> None:
    async with program() as server:
        port = server.url.rpartition(":")[2]
        command = [sys.executable, "-m", "idleclaw_server", "--port", port]
        result = await anyio.run_process(command, check=False)
    assert result.returncode == 1
    assert b"cannot listen" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("flags", [["--port", "x"], ["--drain-seconds", "-1"], ["--nonsense"]])
async def test_wrong_settings_are_one_line_and_exit_code_2(flags: list[str]) -> None:
    command = [sys.executable, "-m", "idleclaw_server", *flags]
    result = await anyio.run_process(command, check=False)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


async def test_leaving_the_context_ends_quickly_with_peers_still_connected() -> None:
    started = anyio.current_time()
    async with AsyncExitStack() as peers:
        async with routing() as router:
            node = await peers.enter_async_context(registered(router.url))
        assert (await node.close_frame())[0] == 1001
    assert anyio.current_time() - started < 1.5
