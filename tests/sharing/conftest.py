"""Nodes that put their owner first, between a fake router and an Ollama that is lived with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from idleclaw_tui.clock import Clock
from idleclaw_tui.node_events import StandingChanged
from idleclaw_tui.node_options import DEFAULT_OPTIONS, NodeTiming
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.sharing_control import ControlTiming, Machine, SharingControl
from idleclaw_tui.sharing_policy import Standing
from idleclaw_tui.sharing_settings import SharingSettings
from tests.fake_ollama import FakeModel
from tests.fake_router_ws import FakeRouter
from tests.node_events import ToldEvents
from tests.sharing.fakes import FakeSignals, LivedInOllama

QUICK = ControlTiming(look=0.01, ollama_serving=0.02, ollama_paused=0.02, keep_count=0.02)


class TurnedClock:
    """A clock that runs, and that a test sets forward besides."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.clock = Clock(
            monotonic=lambda: Clock().monotonic() + self.ahead,
            wall=lambda: Clock().wall() + self.ahead,
        )


class Owned(ToldEvents):
    """A running control with everything it has told."""

    control: SharingControl
    task: asyncio.Task[None]

    def __init__(self, router: FakeRouter, signals: FakeSignals, time: TurnedClock) -> None:
        super().__init__(router)
        self.signals = signals
        self.time = time

    async def standing(self, matches: Callable[[Standing], object]) -> Standing:
        """The newest standing, once it matches."""
        while not (self.standings and matches(self.standings[-1])):
            await self.one_more()
        return self.standings[-1]

    async def phase(self, phase: str) -> Standing:
        return await self.standing(lambda standing: standing.phase == phase)

    @property
    def standings(self) -> list[Standing]:
        return [e.standing for e in self.events if isinstance(e, StandingChanged)]


Own = Callable[..., AbstractAsyncContextManager[Owned]]


@pytest.fixture
async def ollama() -> AsyncIterator[LivedInOllama]:
    models = [FakeModel(), FakeModel("big:8b", size=10**10)]
    async with LivedInOllama(models, num_parallel=4) as fake:
        yield fake


@pytest.fixture
async def router() -> AsyncIterator[FakeRouter]:
    async with FakeRouter() as fake:
        yield fake


@pytest.fixture
def count_path(tmp_path: Path) -> Path:
    return tmp_path / "today.json"


@pytest.fixture
def own(ollama: LivedInOllama, router: FakeRouter, count_path: Path) -> Own:
    """Runs a control in a context; one without a desktop, so that it serves at once."""

    @asynccontextmanager
    async def run(
        settings: SharingSettings | None = None,
        *,
        signals: FakeSignals | None = None,
        desktop: bool = False,
        timing: ControlTiming = QUICK,
        node_timing: NodeTiming = DEFAULT_OPTIONS.timing,
        measure: bool = False,
    ) -> AsyncIterator[Owned]:
        owned = Owned(router, signals or FakeSignals(), TurnedClock())
        async with OllamaBridge(ollama.url) as bridge:
            owned.control = SharingControl(
                router.url,
                bridge,
                settings or SharingSettings(),
                Machine(
                    owned.signals,
                    lambda: desktop,
                    count_path,
                    timing,
                    node_timing,
                    owned.time.clock,
                    lambda low, high: low,
                ),
                on_event=owned.note,
                measure=measure,
            )
            owned.task = asyncio.create_task(owned.control.run())
            try:
                yield owned
            finally:
                owned.control.stop_now()
                with contextlib.suppress(asyncio.CancelledError):
                    await owned.task

    return run
