"""Waiting in tests for what is about to become true, never for a number of seconds."""

import time
from collections.abc import Callable

import anyio


async def wait_until(predicate: Callable[[], object], what: str, within: float = 10) -> None:
    """Return once `predicate()` is true; fail with `what` after `within` seconds.

    The last resort, for state that no event announces.
    """
    deadline = time.monotonic() + within
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within:g} s for: {what}")
        await anyio.sleep(0.01)
