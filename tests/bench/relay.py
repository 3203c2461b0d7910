"""What the router costs, against a TCP relay that parses nothing.

    python -m tests.bench.relay                       # everything, a few minutes
    python -m tests.bench.relay --seconds 2           # shorter rounds
    python -m tests.bench.relay --url URL --pid PID   # another router that speaks the protocol

Router and plain relay run on the same event loop (uvloop) in processes of their own, on one core,
by turns within one run; the load has the other core. CPU time is what the operating system charges
to the measured process. `busy` is the share of its core that it used: near 100 % it was the
bottleneck and not the load. Where it is lower the load was; the figure is still the process's own
CPU time, and a slow load makes bursts smaller, so it can only make the router look dearer.
"""

import argparse
import asyncio
import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

import uvloop

from tests.bench.load import Stream
from tests.bench.subjects import (
    PlainRelay,
    Process,
    Router,
    Subject,
    free_port,
    plain_relay_command,
    router_command,
    started,
)

ROUNDS = 3
MANY = 2_000
TOKENS_PER_SECOND = 50
SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Load:
    """One kind of load; `window` chunks in flight per stream, or 0 for a steady pace."""

    name: str
    streams: int
    nodes: int
    window: int


LOADS = (
    Load("64 streams, saturated, one chunk in flight", 64, 16, 1),
    Load("64 streams, saturated, 32 chunks in flight", 64, 16, 32),
    Load("256 streams, saturated, one chunk in flight", 256, 64, 1),
    Load(f"64 streams at {TOKENS_PER_SECOND} tokens/s", 64, 16, 0),
    Load(f"256 streams at {TOKENS_PER_SECOND} tokens/s", 256, 64, 0),
)


@dataclass(frozen=True)
class Figures:
    """One round: CPU per chunk (us), share of a core, latency and first chunk (ms)."""

    cpu_us: float
    busy: float
    p50_ms: float
    p99_ms: float
    first_ms: float


async def measure(subject: Subject, load: Load, seconds: float) -> Figures:
    """Run one round of a load through a subject."""
    streams = await subject.open(load.streams, load.nodes)
    asked = perf_counter()
    for stream in streams:
        stream.start(load.window or 1)
    await asyncio.gather(*(stream.first for stream in streams))
    first = statistics.median(s.first_at - asked for s in streams if s.first_at is not None)
    if not load.window:
        for stream in streams:
            stream.window = 0
    await _run(streams, load, SETTLE_SECONDS)
    for stream in streams:
        stream.latencies.clear()
    received = sum(stream.received for stream in streams)
    cpu, began = subject.process.cpu_seconds(), perf_counter()
    await _run(streams, load, seconds)
    cpu, took = subject.process.cpu_seconds() - cpu, perf_counter() - began
    chunks = sum(stream.received for stream in streams) - received
    latencies = sorted(value for stream in streams for value in stream.latencies)
    for stream in streams:
        stream.running = False
    await subject.close()
    await asyncio.sleep(SETTLE_SECONDS)
    return Figures(
        cpu_us=1e6 * cpu / chunks,
        busy=cpu / took,
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[len(latencies) * 99 // 100],
        first_ms=1000 * first,
    )


async def _run(streams: Sequence[Stream], load: Load, seconds: float) -> None:
    if load.window:
        await asyncio.sleep(seconds)
        return
    # Each stream has its own place in the interval, as independent nodes would.
    gap = 1 / TOKENS_PER_SECOND / len(streams)
    began = perf_counter()
    for number in range(int(seconds / gap)):
        late = began + number * gap - perf_counter()
        if late > 0.001:
            await asyncio.sleep(late)
        streams[number % len(streams)].tick()
    await asyncio.sleep(0)


async def compare(plain: Subject, router: Subject, load: Load, seconds: float) -> str:
    """Measure both by turns and return a row of the table (medians over the rounds)."""
    rounds = []
    for _ in range(ROUNDS):
        rounds.append((await measure(plain, load, seconds), await measure(router, load, seconds)))
    base, ours = (_median([pair[side] for pair in rounds]) for side in (0, 1))
    ratio = statistics.median(r.cpu_us / p.cpu_us for p, r in rounds)
    added50, added99 = ours.p50_ms - base.p50_ms, ours.p99_ms - base.p99_ms
    return (
        f"| {load.name} | {base.cpu_us:.1f} | {ours.cpu_us:.1f} | {ratio:.2f} "
        f"| {base.busy:.0%} / {ours.busy:.0%} | {added50:+.2f} | {added99:+.2f} "
        f"| {ours.first_ms:.1f} |"
    )


def _median(rounds: Sequence[Figures]) -> Figures:
    def middle(name: str) -> float:
        return float(statistics.median(getattr(figures, name) for figures in rounds))

    return Figures(*(middle(name) for name in Figures.__dataclass_fields__))


async def memory(router: Router) -> str:
    """Return what an idle node and an open stream cost, at 2,000 of each."""
    await router.open(8, 8)
    await asyncio.sleep(SETTLE_SECONDS)
    before = router.process.memory_bytes()
    await router.add_nodes(MANY, 1)
    await asyncio.sleep(2 * SETTLE_SECONDS)
    with_nodes = router.process.memory_bytes()
    streams = await router.add_streams(MANY)
    for stream in streams:
        stream.start(1)
    await asyncio.gather(*(stream.first for stream in streams))
    with_streams = router.process.memory_bytes()
    node, stream_bytes = (with_nodes - before) / MANY, (with_streams - with_nodes) / MANY
    await router.close()
    return (
        f"memory at {MANY} nodes and {MANY} streams: {node / 1024:.1f} KB a node, "
        f"{stream_bytes / 1024:.1f} KB a stream"
    )


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", help="measure the router at this URL instead of a new one")
    parser.add_argument("--pid", type=int, help="its process id")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a round")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with ExitStack() as stack:
        port = free_port()
        plain = PlainRelay(stack.enter_context(started(plain_relay_command(port), port)))
        if arguments.url:
            router = Router(Process(urlsplit(arguments.url).port or 80, arguments.pid))
        else:
            port = free_port()
            router = Router(stack.enter_context(started(router_command(port), port)))
        print("| load | plain us | router us | ratio | busy | p50 +ms | p99 +ms | first ms |")
        print("|---|---|---|---|---|---|---|---|")
        for load in LOADS:
            print(await compare(plain, router, load, arguments.seconds), flush=True)
        print(await memory(router))


if __name__ == "__main__":
    uvloop.run(main())
