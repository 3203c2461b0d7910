"""What is known of this machine now: its signals, what Ollama has loaded, and for whom."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.clock import Clock
from idleclaw_tui.ollama.bridge import OllamaBridge
from idleclaw_tui.ollama.failures import OllamaFailure
from idleclaw_tui.owner.owner_use import OwnerUse
from idleclaw_tui.owner.readings import Readings
from idleclaw_tui.owner.signals.sample import NOTHING
from idleclaw_tui.owner.signals.sampler import SignalSource


class MachineWatch:
    """Looks at the machine through `signals`, and at its Ollama through `bridge`.

    `owner` has to be told of every request of this program's own, or it takes them for the
    owner's.
    """

    def __init__(self, bridge: OllamaBridge, signals: SignalSource, clock: Clock) -> None:
        self.owner = OwnerUse()
        self.loaded: frozenset[str] = frozenset()
        """The names of the models in memory, as of the last look."""
        self._bridge = bridge
        self._signals = signals
        self._clock = clock

    def readings(
        self, offered: Collection[OfferedModel], *, tokens_today: int, own_requests: int
    ) -> Readings:
        """Return one look at everything that sharing depends on."""
        now = self._clock.monotonic()
        signals = self._signals.latest() or NOTHING
        self.owner.load(signals.ollama_cpu_percent, now)
        return Readings(
            local_time=datetime.fromtimestamp(self._clock.wall()),
            tokens_today=tokens_today,
            own_requests=own_requests,
            on_battery=signals.on_battery,
            input_idle_seconds=signals.input_idle_seconds,
            owner_idle_seconds=self.owner.idle_seconds(now),
            exclusive_app=signals.exclusive_app,
            other_cpu_percent=signals.other_cpu_percent,
            gpu_percent=signals.gpu_percent,
            other_gpu_percent=signals.other_gpu_percent,
            gpu_celsius=signals.gpu_celsius,
            gpu_memory_free=signals.gpu_memory_free,
            gpu_memory_total=signals.gpu_memory_total,
            gpu_memory_needed=self._gpu_memory_needed(offered),
            memory_available=signals.memory_available,
            memory_total=signals.memory_total,
        )

    async def look_at_ollama(self) -> None:
        """Learn from what is loaded whether the owner uses Ollama."""
        try:
            loaded = await self._bridge.loaded()
        except OllamaFailure:
            self.owner.lost()
        else:
            self.owner.look(loaded, self._clock.monotonic(), self._clock.wall())
            self.loaded = frozenset(model.name for model in loaded)

    async def first_look(self, seconds: float) -> None:
        """Wait for Ollama and for the first signals, at most `seconds` for each."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.look_at_ollama()
        await asyncio.to_thread(self._signals.wait, seconds)

    def _gpu_memory_needed(self, offered: Collection[OfferedModel]) -> int:
        if any(model.name in self.loaded for model in offered):
            return 0
        return min((model.size for model in offered), default=0)
