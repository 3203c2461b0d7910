"""A node that puts its owner first: it serves while the policy, fed with readings, lets it."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.backoff import Uniform
from idleclaw_tui.clock import Clock
from idleclaw_tui.day_ledger import DayLedger
from idleclaw_tui.machine_watch import MachineWatch
from idleclaw_tui.node_events import (
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    StandingChanged,
)
from idleclaw_tui.node_link import Node
from idleclaw_tui.node_options import DEFAULT_OPTIONS, NodeTiming
from idleclaw_tui.offered_models import with_tag
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.pauses import Pause, pause_of
from idleclaw_tui.quiet_logs import log_unexpected
from idleclaw_tui.readings import Readings
from idleclaw_tui.relay_guard import GuardLimits
from idleclaw_tui.sharing_policy import SharingPolicy, Standing
from idleclaw_tui.sharing_settings import SharingSettings
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


@dataclass(frozen=True, slots=True)
class Machine:
    """What a control stands on, which tests replace.

    `signals` are read while it runs; `is_desktop`, called in a thread, says whether somebody may
    sit at the machine. The day's tokens are kept at `count_path`.
    """

    signals: SignalSource
    is_desktop: Callable[[], bool]
    count_path: Path
    timing: ControlTiming = DEFAULT_TIMING
    node_timing: NodeTiming = DEFAULT_OPTIONS.timing
    clock: Clock = DEFAULT_OPTIONS.clock
    uniform: Uniform = random.uniform


class SharingControl:
    """Runs a node for the router at `server` as the owner's `settings` and `machine` allow.

    `on_event` is called in the event loop for all that happens, and must neither block nor raise.
    With `measure`, one model's speed is measured before the first request is taken. It belongs to
    one event loop and runs once.
    """

    def __init__(
        self,
        server: str,
        bridge: OllamaBridge,
        settings: SharingSettings,
        machine: Machine,
        *,
        on_event: Callable[[NodeEvent], None],
        measure: bool = False,
    ) -> None:
        self._settings = settings
        self._machine = machine
        self._timing = machine.timing
        self._clock = machine.clock
        self._desktop = False
        self._emit = on_event
        self._policy = SharingPolicy(settings, settings.mode_on(False), machine.uniform)
        self._policy.must_get_ready = measure
        self._watch = MachineWatch(bridge, machine.signals, machine.clock)
        self._ledger = DayLedger(machine.count_path, machine.clock, on_event)
        self._running: set[int] = set()
        self._models: ModelsChanged | None = None
        self._standing: Standing | None = None
        self._pause: Pause | None = None
        self._wake = asyncio.Event()
        self._complained = False
        self._warm_up = self._getting_ready(bridge, measure)
        self._node = self._new_node(server, bridge)

    def _getting_ready(self, bridge: OllamaBridge, measure: bool) -> WarmUp:
        return WarmUp(
            bridge,
            self._watch,
            self._clock,
            self._timing.warm_up,
            measured=self._emit if measure else None,
            done=self._warmed,
        )

    def _new_node(self, server: str, bridge: OllamaBridge) -> Node:
        return Node(
            server,
            bridge,
            on_event=self._note,
            models=self._settings.models,
            max_concurrent=self._settings.max_concurrent,
            limits=guard_limits(self._settings),
            timing=self._machine.node_timing,
            clock=self._clock,
            uniform=self._machine.uniform,
        )

    async def run(self) -> None:
        """Share until stopped; by then no request runs and the day's tokens are kept."""
        self._desktop = await asyncio.to_thread(self._machine.is_desktop)
        await self._ledger.begin()
        with self._machine.signals:
            self._choose(self._settings)
            await self._watch.first_look(self._timing.first_look)
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

    def try_now(self) -> None:
        """Look for the router and for Ollama at once, instead of waiting for the next try."""
        self._node.try_now()

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
        self._machine.signals.watch_for(settings.exclusive_apps)

    def _step(self) -> None:
        """Decide on what is known now, and let the node obey."""
        now = self._clock.monotonic()
        self._ledger.turn()
        standing = self._policy.step(self._readings(), now, self._node.active)
        self._pause = pause_of(standing, self._pause)
        self._node.obey(self._pause)
        if standing != self._standing:
            self._standing = standing
            self._emit(StandingChanged(standing))
        if standing.phase != "warming":
            self._warm_up.cancel()
        elif self._models is not None:
            marked = {with_tag(name) for name in self._settings.warm_up}
            names = [model.name for model in self._offered]
            self._warm_up.start([n for n in names if with_tag(n) in marked], self._offered)

    def _readings(self) -> Readings:
        return self._watch.readings(
            self._offered, tokens_today=self._ledger.tokens, own_requests=len(self._running)
        )

    @property
    def _offered(self) -> tuple[OfferedModel, ...]:
        return self._models.models if self._models else ()

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
            self._watch.owner.began(event.model)
        elif event.ended and known:
            self._running.remove(event.number)
            self._watch.owner.ended(event.model, self._clock.monotonic())
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
            await self._watch.look_at_ollama()
            self._wake.set()

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
