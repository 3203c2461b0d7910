"""Turns for frames that may take long: one at a time, and then as long for everybody else."""

import asyncio
from collections.abc import Callable
from typing import Final

LARGE_FRAME_BYTES: Final = 4_096
"""A token's frame has a few hundred bytes; a smaller one than this takes milliseconds at most."""


class LargeFrames:
    """Shared by the nodes of one router.

    Cleaning what a large frame holds can take tens of milliseconds where its sender means harm.
    Without this, the frames of several such nodes would come in one turn of the event loop, and
    nothing else would move meanwhile. Nodes wait in the order they came; each has one frame here
    at most, since its socket is not read while it waits.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def handle(self, work: Callable[[], None]) -> None:
        """Do `work`, then rest as long as it took. Raises what `work` raises."""
        async with self._turn:
            clock = asyncio.get_running_loop().time
            began = clock()
            work()
            await asyncio.sleep(clock() - began)
