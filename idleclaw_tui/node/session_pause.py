"""Carrying a pause out on one connection: what runs is finished, or handed back."""

import asyncio
from contextlib import suppress

from idleclaw_tui.clock import Clock
from idleclaw_tui.node.options import NodeTiming
from idleclaw_tui.node.request_table import RequestTable
from idleclaw_tui.owner.pauses import Pause


class SessionPause:
    """The pause that holds for the requests in `table`, None while there is none."""

    def __init__(self, table: RequestTable, timing: NodeTiming, clock: Clock) -> None:
        self.now: Pause | None = None
        self._table = table
        self._timing = timing
        self._clock = clock
        self._for_requests = asyncio.Event()
        self._for_leaving = asyncio.Event()

    def obey(self, pause: Pause | None) -> bool:
        """Take on another pause, or none; return whether that changes anything."""
        if pause == self.now:
            return False
        self.now = pause
        self._for_requests.set()
        self._for_leaving.set()
        return True

    async def hand_off(self) -> None:
        """Give running requests back whenever the pause asks for it; runs until cancelled.

        A pause for short ones keeps those that should end in time, and gives back what did not.
        """
        while True:
            await self._for_requests.wait()
            self._for_requests.clear()
            pause = self.now
            if pause is None or pause.hand_off == "finish":
                continue
            longest = self._timing.short if pause.hand_off == "short" else 0.0
            self._give_back(pause, longest)
            if longest and not await self._changes_within(longest):
                self._give_back(pause, 0.0)

    async def left(self) -> None:
        """Return once there is a pause and nothing runs."""
        while True:
            while self.now is None:
                await self._for_leaving.wait()
                self._for_leaving.clear()
            await self._table.wait_empty()
            if self.now is not None:
                return

    async def _changes_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._for_requests.wait()
        return self._for_requests.is_set()

    def _give_back(self, pause: Pause, longest: float) -> None:
        self._table.hand_off(pause.decline, longest, self._clock.monotonic())
