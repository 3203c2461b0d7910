"""Everything goes wrong for ten seconds, or for as long and as often as the environment says.

The long form: CHAOS_SECONDS=600 CHAOS_RATE=200 pytest --log-cli-level=INFO -k chaos
"""

import asyncio
import logging
import os
import random
import signal

import psutil
import pytest

from tests.router.chaos import Chaos
from tests.router.consumer import client
from tests.router.program import program
from tests.waiting import wait_until

_SECONDS = float(os.environ.get("CHAOS_SECONDS", "8"))
_RATE = float(os.environ.get("CHAOS_RATE", "60"))
_MEGABYTE = 1_000_000
_log = logging.getLogger(__name__)


@pytest.mark.timeout(_SECONDS + 600)
async def test_every_consumer_gets_an_end_and_nothing_leaks() -> None:
    """A1, A9, A19, A25, A30: no slot, task, descriptor or memory stays behind."""
    async with program() as server:
        router = psutil.Process(server.process.pid)
        chaos = Chaos("127.0.0.1", int(server.url.rpartition(":")[2]), _RATE, random.Random(7))
        await chaos.run(0.5)
        # What it opens once and keeps is open now.
        quiet = await _least_open(router)
        await chaos.run(min(_SECONDS / 4, 60))
        await wait_until(lambda: router.num_fds() <= quiet, "the connections to close", within=30)
        warm = router.memory_info().rss
        readings = asyncio.ensure_future(_watch(router))
        await chaos.run(_SECONDS * 3 / 4)
        readings.cancel()
        await wait_until(lambda: router.num_fds() <= quiet, "the connections to close", within=30)
        grown = (router.memory_info().rss - warm) / _MEGABYTE
        async with client(server.url) as http:
            metrics = (await http.get("/metrics")).json()
            network = (await http.get("/api/network")).json()
        _log.info("%s, %d restarts of nodes", dict(chaos.outcomes), chaos.restarts)
        _log.info("%s", metrics)
        _log.info("memory: %.1f MB when warm, %+.1f MB at the end", warm / _MEGABYTE, grown)
        server.process.send_signal(signal.SIGTERM)
        assert await server.exit_code() == 0
    assert chaos.wrong == []
    assert metrics["requests_active"] == 0
    assert metrics["nodes_connected"] == 0
    assert network["totals"]["queued"] == network["totals"]["running"] == 0
    assert chaos.outcomes["stop"] > 0.5 * sum(chaos.outcomes.values())
    assert chaos.outcomes["error"] > 0
    assert chaos.outcomes["left"] > 0
    assert grown < 20
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log
    assert "WARNING" not in server.log


async def _least_open(router: psutil.Process) -> int:
    """The descriptors that stay when all connections are closed."""
    await wait_until(lambda: not router.net_connections("tcp")[1:], "the connections to close")
    return router.num_fds()


async def _watch(router: psutil.Process) -> None:
    while True:
        await asyncio.sleep(60)
        memory = router.memory_info().rss / _MEGABYTE
        _log.info("memory %.1f MB, %d descriptors", memory, router.num_fds())
