"""What listeners to the network's changes cost the router: one of them, and two hundred.

    python -m tests.bench.listeners [--seconds 10]

1,000 nodes with 100 models change 50 times a second. All rounds are of one run and by turns; what
the changes themselves cost is measured without a listener and taken off.
"""

import argparse
import asyncio
import os
import statistics
import sys
from time import perf_counter
from typing import cast

import uvloop

from tests.bench.subjects import Process, free_port, started

MANY = 200
ROUNDS = 3
SETTLE_SECONDS = 1.5
_REQUEST = b"GET /api/network/events HTTP/1.1\r\nhost: x\r\n\r\n"


class Reader(asyncio.Protocol):
    """A listener that counts what it gets."""

    def __init__(self) -> None:
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the events."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(_REQUEST)

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.received += len(data)


async def cost(process: Process, listeners: int, seconds: float) -> float:
    """Return the share of a core that the router uses with so many listeners."""
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(Reader, "127.0.0.1", process.port))[1]
        for _ in range(listeners)
    ]
    await asyncio.sleep(SETTLE_SECONDS)
    before = [reader.received for reader in readers]
    cpu, began = process.cpu_seconds(), perf_counter()
    await asyncio.sleep(seconds)
    share = (process.cpu_seconds() - cpu) / (perf_counter() - began)
    silent = sum(r.received == b for r, b in zip(readers, before, strict=True))
    assert not silent, f"{silent} listeners heard nothing"
    for reader in readers:
        reader.transport.close()
    await asyncio.sleep(SETTLE_SECONDS)
    return share


async def main() -> None:
    """Print the shares and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a round")
    seconds = parser.parse_args().seconds
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.changing_router", str(port)]
    rounds = []
    with started(command, port) as process:
        for _ in range(ROUNDS):
            rounds.append([await cost(process, count, seconds) for count in (0, 1, MANY)])
    none, one, many = (statistics.median(shares) for shares in zip(*rounds, strict=True))
    print(
        f"share of a core: {none:.2%} without listeners, {one:.2%} with 1, {many:.2%} with {MANY}"
    )
    print(f"{MANY} listeners cost {many / one:.2f} times what 1 costs, changes included")
    print(
        f"{MANY} listeners cost {(many - none) / (one - none):.2f} times what 1 costs, changes not"
    )


if __name__ == "__main__":
    uvloop.run(main())
