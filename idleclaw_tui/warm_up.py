"""Bringing the models that the owner marked into memory before anything is served."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from idleclaw_tui.clock import Clock
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.owner_use import OwnerUse

logger = logging.getLogger(__name__)


class WarmUp:
    """Loads models one after the other, each for at most `seconds`; one that fails is passed over.

    `owner` is told of it, so that it is not taken for the owner's doing. `done` is called at the
    end, unless it was cancelled.
    """

    def __init__(
        self,
        bridge: OllamaBridge,
        owner: OwnerUse,
        clock: Clock,
        seconds: float,
        done: Callable[[], None],
    ) -> None:
        self._bridge = bridge
        self._owner = owner
        self._clock = clock
        self._seconds = seconds
        self._done = done
        self._task: asyncio.Task[None] | None = None

    def start(self, models: Iterable[str]) -> None:
        """Begin, unless it goes on already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(tuple(models)))

    def cancel(self) -> None:
        """Stop at once; Ollama stops loading when its connection closes."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, models: tuple[str, ...]) -> None:
        for model in models:
            self._owner.began(model)
            try:
                async with asyncio.timeout(self._seconds):
                    await self._bridge.load(model)
            except (OllamaFailure, TimeoutError):
                logger.warning("a model could not be loaded beforehand; it will be when asked for")
            finally:
                self._owner.ended(model, self._clock.monotonic())
        self._task = None
        self._done()
