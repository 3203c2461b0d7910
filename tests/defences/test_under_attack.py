"""Everything at once, against a real process: it stays small, and it stays awake."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median, quantiles
from urllib.parse import urlsplit

import anyio
import psutil

from tests.defences.health import distribution, health_seconds
from tests.defences.running import at, node_at, patience
from tests.router.consumer import Answer, body
from tests.router.program import program
from tests.router.scripted_node import ScriptedNode
from tests.waiting import wait_until

SECONDS = 5.0
MAX_RSS_BYTES = 200_000_000
HEALTH_SECONDS = 0.1
NOISY_HEALTH_SECONDS = 1.0
"""For all but one in twenty, where the machine has other things to do."""
FLAGS = (
    *("--address-limits", "on", "--registrations-per-minute", "0"),
    *("--chats-per-minute", "0", "--others-per-minute", "6000"),
)


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
    """A11, A14, A17: below 200 MB, and `/health` within 100 ms, while everybody misbehaves.

    On a machine that others load as well a few answers take longer whatever the router does;
    `tests.bench.under_attack` tells the two apart.
    """
    waits: list[float] = []
    sizes: list[int] = []
    async with program(*FLAGS) as server, AsyncExitStack() as stack:
        honest = await stack.enter_async_context(node_at(server.url, "127.0.4.1"))
        await honest.register("honest", ["honest:1b"])
        port = urlsplit(server.url).port
        assert port is not None
        process = psutil.Process(server.process.pid)
        async with _attacked(server.url):
            await wait_until(lambda: server.log.count(" joined ") > 1, "a hostile node", 30)
            until = anyio.current_time() + SECONDS
            while anyio.current_time() < until:
                waits.append(health_seconds(port, "127.0.4.3"))
                sizes.append(process.memory_info().rss)
                await anyio.sleep(0.02)
            async with patience(20):
                assert await _honest_chat(server.url, honest) == "undisturbed"
    said = distribution(waits, HEALTH_SECONDS)
    sys.stdout.write(f"{said}; at most {max(sizes) / 1e6:.0f} MB\n")
    assert max(sizes) < MAX_RSS_BYTES
    assert median(waits) < HEALTH_SECONDS, said
    assert quantiles(waits, n=20, method="inclusive")[-1] < NOISY_HEALTH_SECONDS, said
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log
