"""Everything at once, against a real process: it stays small, and it stays awake."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

import anyio
import psutil

from tests.defences.running import at, node_at, patience
from tests.router.consumer import Answer, body
from tests.router.program import program
from tests.router.scripted_node import ScriptedNode

SECONDS = 5.0
MAX_RSS_BYTES = 200_000_000
HEALTH_SECONDS = 0.1


@asynccontextmanager
async def _attacked(url: str) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "tests.defences.attackers", url]
    async with await anyio.open_process(command, stdout=None, stderr=None) as attackers:
        try:
            yield
            assert attackers.returncode is None
        finally:
            attackers.kill()


async def _honest_chat(url: str, node: ScriptedNode) -> str:
    async with at(url, "127.0.4.2") as http:
        async with http.stream("POST", "/api/chat", json=body(model="honest:1b")) as response:
            await node.answer((await node.asked()).request_id, "undisturbed")
            return await Answer(response).text()


async def test_the_router_stays_small_and_awake() -> None:
    """A11, A14, A17: below 200 MB, and `/health` within 100 ms, while everybody misbehaves."""
    waits: list[float] = []
    sizes: list[int] = []
    flags = ("--address-limits", "on", "--registrations-per-minute", "0")
    async with program(*flags, "--others-per-minute", "600") as server, AsyncExitStack() as stack:
        honest = await stack.enter_async_context(node_at(server.url, "127.0.4.1"))
        await honest.register("honest", ["honest:1b"])
        http = await stack.enter_async_context(at(server.url, "127.0.4.3"))
        process = psutil.Process(server.process.pid)
        async with _attacked(server.url):
            until = anyio.current_time() + SECONDS
            while anyio.current_time() < until:
                before = time.perf_counter()
                answer = await http.get("/health", headers={"connection": "close"})
                assert answer.status_code == 200
                waits.append(time.perf_counter() - before)
                sizes.append(process.memory_info().rss)
                await anyio.sleep(0.02)
            async with patience(20):
                assert await _honest_chat(server.url, honest) == "undisturbed"
    assert max(sizes) < MAX_RSS_BYTES
    assert median(waits) < HEALTH_SECONDS
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log
