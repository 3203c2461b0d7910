"""How long `/health` takes while everybody misbehaves, and how large the router becomes.

    python -m tests.bench.under_attack [--seconds 60] [--chats-per-minute 20]

The attackers are those of `tests.defences.attackers`. Beside the router runs a plain aiohttp
server that nobody else asks, in a process of its own: what it takes to answer is what the machine
does to anybody, and is measured by turns with the router. Both are on both cores with what else
runs there, as in the test, and the attackers have the lowest priority.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from aiohttp import web

from tests.bench.subjects import free_port, router_command, started
from tests.defences.health import distribution, health_seconds

PAUSE_SECONDS = 0.02
LIMIT_SECONDS = 0.1
SETTLE_SECONDS = 2.0
MEASURER = "127.0.4.3"
FLAGS = (
    *("--address-limits", "on", "--registrations-per-minute", "0"),
    *("--others-per-minute", "6000"),
)


@contextmanager
def attacked(port: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Let the attackers loose for so long."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.defences.attackers", url, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attackers:
        try:
            yield attackers
        finally:
            attackers.kill()


def plain_server(port: int) -> None:
    """Serve `/health` and nothing else."""

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_get("/health", health)
    web.run_app(app, host="127.0.0.1", port=port, print=None, loop=asyncio.new_event_loop())


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to measure")
    parser.add_argument(
        "--chats-per-minute", default="20", help="the router's limit by address; 0 is none"
    )
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain:
        plain_server(arguments.plain)
        return
    measure(arguments.seconds, arguments.chats_per_minute)


def measure(seconds: float, chats_per_minute: str) -> None:
    """Measure router and plain server by turns."""
    plain_port, port = free_port(), free_port()
    plain_command = [sys.executable, "-m", "tests.bench.under_attack", "--plain", str(plain_port)]
    waits: list[float] = []
    plain_waits: list[float] = []
    largest = 0
    with ExitStack() as stack:
        stack.enter_context(started(plain_command, plain_port, pinned=False))
        command = [*router_command(port), *FLAGS, "--chats-per-minute", chats_per_minute]
        router = stack.enter_context(started(command, port, pinned=False))
        attackers = stack.enter_context(attacked(port, seconds + 2 * SETTLE_SECONDS))
        time.sleep(SETTLE_SECONDS)
        cpu, queued = router.cpu_seconds(), router.queued_seconds()
        began = time.perf_counter()
        while time.perf_counter() < began + seconds:
            waits.append(health_seconds(port, MEASURER))
            plain_waits.append(health_seconds(plain_port, MEASURER))
            largest = max(largest, router.memory_bytes())
            time.sleep(PAUSE_SECONDS)
        took = time.perf_counter() - began
        share = (router.cpu_seconds() - cpu) / took
        waited = (router.queued_seconds() - queued) / took
        said, _ = attackers.communicate()
    frames, requests, size = (int(word) / (seconds + 2 * SETTLE_SECONDS) for word in said.split())
    print(f"router        {distribution(waits, LIMIT_SECONDS)}")
    print(f"plain server  {distribution(plain_waits, LIMIT_SECONDS)}")
    print(f"memory        at most {largest / 1e6:.0f} MB")
    print(f"CPU           {share:.0%} of a core, and {waited:.0%} of the time waiting for one")
    print(f"attack        {frames:.0f} frames, {requests:.0f} requests, {size / 1e6:.1f} MB/s")


if __name__ == "__main__":
    main()
