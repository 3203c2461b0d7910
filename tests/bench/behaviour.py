"""How well one stream is protected from another, and how fast a disconnect reaches Ollama.

    python -m tests.bench.behaviour

Prints the longest gap that a reader sees while its neighbour on the same node has stopped
reading, and the time from a consumer's disconnect to the aborted request at Ollama (a fake one
behind a real node and a real router, over real sockets).
"""

import asyncio
import statistics
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Final, cast

import uvloop

from idleclaw_server.policy import Policy
from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings
from idleclaw_tui.node_events import LinkChanged, NodeEvent
from idleclaw_tui.node_link import Node as SharingNode
from idleclaw_tui.ollama_bridge import OllamaBridge
from tests.bench.load import Consumer, Stream
from tests.bench.subjects import Process, Router, free_port, post, router_command, started
from tests.fake_ollama import FakeModel, FakeOllama

_SECONDS: Final = 5.0
_PACE: Final = 0.02
_DISCONNECTS: Final = 40
_GARBAGE: Final = b"x" * 8_000


async def neighbour_gap(process: Process) -> tuple[float, bool]:
    """Return the longest gap (ms) of a reader beside one that does not read, and its end.

    The node sends the deaf consumer 8 KB each turn, as fast as a paced neighbour lets it; the
    second value tells whether the router cut the deaf one off meanwhile.
    """
    router = Router(process)
    await router.add_nodes(1, 2)
    reader = (await router.add_streams(2))[0]
    deaf_side = router.consumers[1]
    deaf_side.transport.pause_reading()
    lost = asyncio.Event()
    deaf_side.on_lost = lost.set
    node = router.nodes[0]
    flood = node.chunk(router.request_ids[1], content=_GARBAGE.decode())
    reader.start(1)
    reader.window = 0
    await reader.first
    last, longest, began = perf_counter(), 0.0, perf_counter()
    received = reader.received
    while perf_counter() - began < _SECONDS:
        reader.tick()
        for _ in range(4):
            node.transport.write(flood)
        await asyncio.sleep(_PACE)
        if reader.received != received:
            received, now = reader.received, perf_counter()
            longest, last = max(longest, now - last), now
    deaf_side.transport.resume_reading()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await lost.wait()
    await router.close()
    return 1000 * (longest - _PACE), lost.is_set()


async def abort_latency() -> list[float]:
    """Return the times (ms) from a consumer's disconnect to the abort at Ollama."""
    loop = asyncio.get_running_loop()
    times = []
    joined = asyncio.Event()

    def note(event: NodeEvent) -> None:
        if isinstance(event, LinkChanged) and event.state == "connected":
            joined.set()

    async with (
        FakeOllama(models=[FakeModel("tiny:1b")]) as ollama,
        running_router(
            Settings(host="127.0.0.1", port=0, address_limits=False, probes=False), Policy()
        ) as router,
        OllamaBridge(ollama.url) as bridge,
    ):
        ollama.endless = True
        node = SharingNode(router.url, bridge, on_event=note)
        running = asyncio.create_task(node.run())
        await joined.wait()
        port = int(router.url.rpartition(":")[2])
        for number in range(_DISCONNECTS):
            stream = Stream()
            transport, _ = await loop.create_connection(
                partial(Consumer, stream, post("hello")), "127.0.0.1", port
            )
            await stream.first
            chat = ollama.chats[number]
            left = loop.time()
            transport.abort()
            await chat.aborted.wait()
            times.append(1000 * (cast(float, chat.aborted_at) - left))
        node.stop_now()
        await running
    return sorted(times)


async def main() -> None:
    """Print both."""
    port = free_port()
    with started(router_command(port), port) as process:
        gap, cut = await neighbour_gap(process)
    print(f"longest added gap beside a consumer that does not read: {gap:.1f} ms; cut off: {cut}")
    times = await abort_latency()
    print(
        f"disconnect to aborted Ollama request, {len(times)} times: "
        f"median {statistics.median(times):.1f} ms, longest {times[-1]:.1f} ms"
    )


if __name__ == "__main__":
    uvloop.run(main())
