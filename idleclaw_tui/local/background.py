"""The embedded network on a thread of its own, so that its work never makes the screen stutter."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from idleclaw_tui.local.network import LocalNetwork, local_network
from idleclaw_tui.node_events import NodeEvent


@contextmanager
def background_network(
    ollama_url: str, on_event: Callable[[NodeEvent], None]
) -> Iterator[LocalNetwork]:
    """Run the embedded network beside the calling thread for the length of the block.

    `on_event` is called in the network's thread. Nothing of the network is left when the block
    ends.

    Raises:
        IdleClawError: what `local_network` raises.
    """
    started: Future[tuple[LocalNetwork, asyncio.AbstractEventLoop]] = Future()
    stop = asyncio.Event()

    async def live() -> None:
        async with local_network(ollama_url, on_event) as network:
            started.set_result((network, asyncio.get_running_loop()))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            # Whoever waits for the start must hear of every failure, or it would wait for ever.
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="local network")
    thread.start()
    try:
        network, loop = started.result()
        try:
            yield network
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
