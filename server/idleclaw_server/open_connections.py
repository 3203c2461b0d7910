"""Counting what is open, to wait for its end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class OpenConnections:
    """How many handlers of one kind run."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a handler for as long as the context lasts."""
        self._count += 1
        self._none.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._none.set()

    async def wait_for_none(self, seconds: float) -> bool:
        """Wait until none is open, for at most `seconds`; tell whether that is so."""
        try:
            async with asyncio.timeout(seconds):
                await self._none.wait()
        except TimeoutError:
            return False
        return True
