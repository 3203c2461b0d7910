"""Turns for frames that may take long: one at a time, and then as long for everybody else."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeVar

LARGE_FRAME_BYTES: Final = 1_024
"""A token's frame has a few hundred bytes; what is smaller than this takes a few ms at most."""
TURN_SECONDS: Final = 0.001
"""What one socket has ready may take so long before others come; an honest frame takes 20 us."""

_Result = TypeVar("_Result")


class FrameTurns:
    """Shared by the nodes of one router.

    Cleaning what a frame holds can take milliseconds where its sender means harm. Without this,
    the frames of several such nodes would come in one turn of the event loop, and nothing else
    would move meanwhile. Nodes wait in the order they came; each has one frame here at most,
    since its socket is not read while it waits.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def alone(self, work: Callable[[], _Result]) -> _Result:
        """Do `work` and return its result, then rest as long as it took. Raises what it raises."""
        async with self._turn:
            # Not the loop's own clock: uvloop's stands still within a turn.
            began = perf_counter()
            result = work()
            await asyncio.sleep(perf_counter() - began)
        return result

    async def rest(self, seconds: float) -> None:
        """Make up for small frames that took long, as those do that had a turn of their own."""
        async with self._turn:
            await asyncio.sleep(seconds)
