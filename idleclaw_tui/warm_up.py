"""Getting ready before anything is served: loading the marked models, and measuring one."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.clock import Clock
from idleclaw_tui.machine_watch import MachineWatch
from idleclaw_tui.node_events import SpeedMeasured
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.speed_check import measure_speed, model_to_measure

logger = logging.getLogger(__name__)


class WarmUp:
    """Loads models one after the other, each for at most `seconds`; one that fails is passed over.

    Then it measures one of those that are offered, unless `measured` is None or was told already.
    `watch` hears of all this, so that it is not taken for the owner's doing. `done` is called at
    the end, unless it was cancelled.
    """

    def __init__(
        self,
        bridge: OllamaBridge,
        watch: MachineWatch,
        clock: Clock,
        seconds: float,
        *,
        measured: Callable[[SpeedMeasured], None] | None,
        done: Callable[[], None],
    ) -> None:
        self._bridge = bridge
        self._watch = watch
        self._clock = clock
        self._seconds = seconds
        self._measured = measured
        self._done = done
        self._task: asyncio.Task[None] | None = None

    def start(self, marked: Sequence[str], offered: Sequence[OfferedModel]) -> None:
        """Begin, unless it goes on already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(marked, offered))

    def cancel(self) -> None:
        """Stop at once; Ollama stops when its connection closes."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, marked: Sequence[str], offered: Sequence[OfferedModel]) -> None:
        for model in marked:
            await self._load(model)
        await self._measure(marked, offered)
        self._task = None
        self._done()

    async def _load(self, model: str) -> None:
        with self._own(model):
            try:
                async with asyncio.timeout(self._seconds):
                    await self._bridge.load(model)
            except (OllamaFailure, TimeoutError):
                logger.warning("a model could not be loaded beforehand; it will be when asked for")

    async def _measure(self, marked: Sequence[str], offered: Sequence[OfferedModel]) -> None:
        model = model_to_measure(offered, marked or self._watch.loaded)
        if self._measured is None or model is None:
            return
        with self._own(model.name):
            self._measured(await measure_speed(self._bridge, model, self._clock))
        self._measured = None

    @contextmanager
    def _own(self, model: str) -> Iterator[None]:
        self._watch.owner.began(model)
        try:
            yield
        finally:
            self._watch.owner.ended(model, self._clock.monotonic())
