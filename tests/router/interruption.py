"""Cancelling a coroutine at its nth suspension, for every n."""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Interruption:
    """Cancels what it runs once, at suspension number `at`, counted from 1.

    `late` cancels in the very moment when what was waited for has come: the coroutine is resumed
    with CancelledError although its result is there. Otherwise it is cancelled while it waits.
    """

    def __init__(self, at: int, *, late: bool) -> None:
        self.at = at
        self.late = late
        self.suspensions = 0

    @property
    def struck(self) -> bool:
        """Whether the coroutine got as far as to be cancelled."""
        return self.suspensions >= self.at

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` to its end, early or not."""
        return await self._drive(coroutine)

    @types.coroutine
    def _drive(self, coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        step: Callable[[], Any] = partial(coroutine.send, None)
        while True:
            try:
                awaited = step()
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            self.suspensions += 1
            now = self.suspensions == self.at
            if now and not self.late:
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                yield awaited
            except BaseException as error:
                step = partial(coroutine.throw, error)
            else:
                step = partial(coroutine.send, None)
                if now and self.late:
                    step = partial(coroutine.throw, asyncio.CancelledError())
