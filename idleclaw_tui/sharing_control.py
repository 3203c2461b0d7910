"""A node that puts its owner first: it serves while the policy, fed with readings, lets it."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from idleclaw_tui.backoff import Uniform
from idleclaw_tui.clock import Clock
from idleclaw_tui.day_ledger import DayLedger
from idleclaw_tui.node_link import Node
from idleclaw_tui.node_options import DEFAULT_OPTIONS, NodeTiming
from idleclaw_tui.offered_models import with_tag
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.owner_use import OwnerUse
from idleclaw_tui.pauses import Pause, pause_of
from idleclaw_tui.quiet_logs import log_unexpected
from idleclaw_tui.readings import Readings
from idleclaw_tui.relay_guard import GuardLimits
from idleclaw_tui.sharing import (
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    StandingChanged,
)
from idleclaw_tui.sharing_policy import SharingPolicy, Standing
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.signals.sample import NOTHING
from idleclaw_tui.signals.sampler import SignalSource
from idleclaw_tui.warm_up import WarmUp

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlTiming:
    """How often the machine is looked at, and how long things may take; all in seconds."""

    look: float = 1.0
    ollama_serving: float = 5.0
    """Between two looks at what Ollama has loaded, while the node serves."""
    ollama_paused: float = 15.0
    first_look: float = 3.0
    """How long the beginning waits for Ollama, and again for the first signals."""
    warm_up: float = 300.0
    """How long bringing one model into memory may take."""
    keep_count: float = 10.0
    """Between two writes of the day's tokens."""


DEFAULT_TIMING: Final = ControlTiming()
_UNDECIDED: Final = Pause("paused_by_user")
"""Where the policy itself fails, the owner comes first."""


class SharingControl:
    """Runs a node for the router at `server` as the owner's `settings` and machine allow.

    `signals` are read while it runs; `is_desktop`, called in a thread, says whether somebody may
    sit at the machine. The day's tokens are kept at `count_path`. `on_event` is called in the
    event loop for all that happens, and must neither block nor raise. It belongs to one event
    loop and runs once.
    """

    def __init__(
        self,
        server: str,
        bridge: OllamaBridge,
        settings: SharingSettings,
        *,
        signals: SignalSource,
        is_desktop: Callable[[], bool],
        count_path: Path,
        on_event: Callable[[NodeEvent], None],
        timing: ControlTiming = DEFAULT_TIMING,
        node_timing: NodeTiming = DEFAULT_OPTIONS.timing,
        clock: Clock = DEFAULT_OPTIONS.clock,
        uniform: Uniform = random.uniform,
    ) -> None:
        self._bridge = bridge
        self._settings = settings
        self._signals = signals
        self._find_desktop = is_desktop
        self._desktop = False
        self._emit = on_event
        self._timing = timing
        self._clock = clock
        self._policy = SharingPolicy(settings, settings.mode_on(False), uniform)
        self._owner = OwnerUse()
        self._ledger = DayLedger(count_path, clock, on_event)
        self._running: set[int] = set()
        self._models: ModelsChanged | None = None
        self._loaded: frozenset[str] = frozenset()
        self._standing: Standing | None = None
        self._pause: Pause | None = None
        self._wake = asyncio.Event()
        self._complained = False
        self._warm_up = WarmUp(bridge, self._owner, clock, timing.warm_up, self._warmed)
        self._node = Node(
            server,
            bridge,
            on_event=self._note,
            models=settings.models,
            max_concurrent=settings.max_concurrent,
            limits=guard_limits(settings),
            timing=node_timing,
            clock=clock,
            uniform=uniform,
        )

    async def run(self) -> None:
        """Share until stopped; by then no request runs and the day's tokens are kept."""
        self._desktop = await asyncio.to_thread(self._find_desktop)
        await self._ledger.begin()
        with self._signals:
            self._choose(self._settings)
            await self._first_look()
            keep = self._ledger.keep(self._timing.keep_count)
            try:
                async with _beside(self._watch_machine(), self._watch_ollama(), keep):
                    self._step()
                    await self._node.run()
            finally:
                self._warm_up.cancel()
                await self._ledger.save()

    def stop(self) -> None:
        """Finish the running requests, take no new ones, then return from `run`."""
        self._node.stop()

    def stop_now(self) -> None:
        """Give the running requests back to the router and return from `run`."""
        self._node.stop_now()

    def pause(self) -> None:
        """Serve nobody until `resume`; running requests end."""
        self._policy.pause()
        self._step()

    def resume(self) -> None:
        """Take `pause` back."""
        self._policy.resume()
        self._step()

    def change(self, settings: SharingSettings) -> None:
        """Take other settings, which hold at once."""
        self._choose(settings)
        self._node.change(
            models=settings.models,
            max_concurrent=settings.max_concurrent,
            limits=guard_limits(settings),
        )
        self._step()

    def _choose(self, settings: SharingSettings) -> None:
        self._settings = settings
        self._policy.change(settings, settings.mode_on(self._desktop))
        self._signals.watch_for(settings.exclusive_apps)

    def _step(self) -> None:
        """Decide on what is known now, and let the node obey."""
        now = self._clock.monotonic()
        self._ledger.turn()
        standing = self._policy.step(self._readings(now), now, self._node.active)
        self._pause = pause_of(standing, self._pause)
        self._node.obey(self._pause)
        if standing != self._standing:
            self._standing = standing
            self._emit(StandingChanged(standing))
        if standing.phase != "warming":
            self._warm_up.cancel()
        elif self._models is not None:
            marked = {with_tag(name) for name in self._settings.warm_up}
            offered = (model.name for model in self._models.models)
            self._warm_up.start(name for name in offered if with_tag(name) in marked)

    def _readings(self, now: float) -> Readings:
        signals = self._signals.latest() or NOTHING
        self._owner.load(signals.ollama_cpu_percent, now)
        return Readings(
            local_time=datetime.fromtimestamp(self._clock.wall()),
            tokens_today=self._ledger.tokens,
            own_requests=len(self._running),
            on_battery=signals.on_battery,
            input_idle_seconds=signals.input_idle_seconds,
            owner_idle_seconds=self._owner.idle_seconds(now),
            exclusive_app=signals.exclusive_app,
            other_cpu_percent=signals.other_cpu_percent,
            gpu_percent=signals.gpu_percent,
            other_gpu_percent=signals.other_gpu_percent,
            gpu_celsius=signals.gpu_celsius,
            gpu_memory_free=signals.gpu_memory_free,
            gpu_memory_total=signals.gpu_memory_total,
            gpu_memory_needed=self._gpu_memory_needed(),
            memory_available=signals.memory_available,
            memory_total=signals.memory_total,
        )

    def _gpu_memory_needed(self) -> int:
        offered = self._models.models if self._models else ()
        if any(model.name in self._loaded for model in offered):
            return 0
        return min((model.size for model in offered), default=0)

    def _note(self, event: NodeEvent) -> None:
        """Learn from what the node tells, and pass it on."""
        match event:
            case RequestChanged():
                self._note_request(event)
            case ModelsChanged():
                self._models = event
        self._emit(event)

    def _note_request(self, event: RequestChanged) -> None:
        self._ledger.note(event)
        known = event.number in self._running
        if not event.ended and not known:
            self._running.add(event.number)
            self._owner.began(event.model)
        elif event.ended and known:
            self._running.remove(event.number)
            self._owner.ended(event.model, self._clock.monotonic())
        if event.ended:
            self._wake.set()

    async def _watch_machine(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.look):
                    await self._wake.wait()
            self._wake.clear()
            try:
                self._step()
            except Exception as error:
                self._node.obey(_UNDECIDED)
                if not self._complained:
                    self._complained = True
                    log_unexpected(logger, "looking at this machine", error)

    async def _watch_ollama(self) -> None:
        while True:
            serving = self._standing is not None and self._standing.serves
            timing = self._timing
            await asyncio.sleep(timing.ollama_serving if serving else timing.ollama_paused)
            await self._look_at_ollama()

    async def _look_at_ollama(self) -> None:
        """Learn from what is loaded whether the owner uses Ollama."""
        try:
            loaded = await self._bridge.loaded()
        except OllamaFailure:
            self._owner.lost()
        else:
            self._owner.look(loaded, self._clock.monotonic(), self._clock.wall())
            self._loaded = frozenset(model.name for model in loaded)
        self._wake.set()

    async def _first_look(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.first_look):
                await self._look_at_ollama()
        await asyncio.to_thread(self._signals.wait, self._timing.first_look)

    def _warmed(self) -> None:
        self._policy.warmed()
        self._wake.set()


def guard_limits(settings: SharingSettings) -> GuardLimits:
    """Return what one request may ask for."""
    return GuardLimits(answer_tokens=settings.answer_tokens, context_tokens=settings.context_tokens)


@asynccontextmanager
async def _beside(*parts: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run endless parts for the length of the block."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
