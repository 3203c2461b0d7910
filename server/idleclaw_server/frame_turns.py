"""Turns for frames that may take long: one at a time, and then as long for everybody else."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeVar

LARGE_FRAME_BYTES: Final = 1_024
"""A token's frame has a few hundred bytes."""
_MANY_BRACKETS: Final = 16
"""Of "<" in a smaller frame; deciding about each costs up to 15 us, beside 20 us for a token."""
_MOST_REST_SECONDS: Final = 0.02
"""A part of a frame takes a few ms; whatever took longer is the machine's doing."""
_REST_SECONDS: Final = 0.001

_Result = TypeVar("_Result")


def takes_long(frame: bytes) -> bool:
    """Tell whether a frame has to wait for its turn. By what it holds: clocks see the machine."""
    if len(frame) > LARGE_FRAME_BYTES:
        return True
    return frame.count(b"<") + frame.count(rb"\u003") > _MANY_BRACKETS


class FrameTurns:
    """Shared by the nodes of one router, and another by its consumers for their largest bodies.

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
            await asyncio.sleep(min(perf_counter() - began, _MOST_REST_SECONDS))
        return result

    async def rest(self) -> None:
        """Wait for a turn and do nothing with it: for a socket that sends what nobody needs."""
        async with self._turn:
            await asyncio.sleep(_REST_SECONDS)
