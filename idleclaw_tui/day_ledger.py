"""Counting what is given away today, as it happens, and keeping the count on the disk."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from idleclaw_tui.clock import Clock
from idleclaw_tui.day_count import DayCount, load_count, save_count
from idleclaw_tui.node_events import DayChanged, RequestChanged


class DayLedger:
    """The day's tokens in the file at `path`; `emit` hears of every change."""

    def __init__(self, path: Path, clock: Clock, emit: Callable[[DayChanged], None]) -> None:
        self._path = path
        self._clock = clock
        self._emit = emit
        self._count = DayCount(self._today())
        self._kept = self._count
        self._running: dict[int, int] = {}
        self._writing: asyncio.Task[None] | None = None

    @property
    def tokens(self) -> int:
        """Tokens of answers since midnight, those of running requests among them."""
        return self._count.tokens + sum(self._running.values())

    async def begin(self) -> None:
        """Go on from what was counted today already."""
        self._kept = await asyncio.to_thread(load_count, self._path, self._count.day)
        self._become(self._kept)

    def note(self, request: RequestChanged) -> None:
        """Count a request, from its first event to its last."""
        if not request.ended:
            self._running[request.number] = request.answer_tokens
            return
        self._running.pop(request.number, None)
        done = int(request.state == "done")
        if done or request.answer_tokens:
            self._become(self._count.plus(request.answer_tokens, done, self._today()))

    def turn(self) -> None:
        """Begin at nothing where a day is over."""
        count = self._count.on(self._today())
        if count != self._count:
            self._become(count)

    async def keep(self, seconds: float) -> None:
        """Write the count every so often, where it changed; runs until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.save()

    async def save(self) -> None:
        """Write the count, where it changed; a write that was begun ends before another begins."""
        while self._count != self._kept:
            if self._writing is None:
                self._writing = asyncio.create_task(self._write(self._count))
            await asyncio.shield(self._writing)

    async def _write(self, count: DayCount) -> None:
        await asyncio.to_thread(save_count, self._path, count)
        self._kept = count
        self._writing = None

    def _become(self, count: DayCount) -> None:
        self._count = count
        self._emit(DayChanged(count.tokens, count.requests))

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.wall()).date()
