"""Looks at the router again and again and keeps the `NetworkView` up to date."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.network_view import (
    NetworkView,
    Picture,
    picture_of_basics,
    picture_of_network,
)
from idleclaw_tui.peers import Router

WATCHED_SECONDS: Final = 2.0
UNWATCHED_SECONDS: Final = 10.0


class RouterWatch:
    """Asks the router every 2 s while somebody looks or no model is online, else every 10 s.

    `changed` is called after every look, in the task of `run`, and must not wait for anything.
    """

    def __init__(
        self,
        router: Router,
        view: NetworkView,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._router = router
        self._view = view
        self._clock = clock
        self._changed = changed
        self._watched = False
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Look until cancelled."""
        failures = 0
        while True:
            self._hurry.clear()
            try:
                picture = await self._look()
            except IdleClawError as error:
                delay = min(WATCHED_SECONDS * 2**failures, UNWATCHED_SECONDS)
                failures = min(failures + 1, 8)
                self._view.lost(str(error), self._clock(), delay)
            else:
                eager = self._watched or not picture.models
                failures, delay = 0, WATCHED_SECONDS if eager else UNWATCHED_SECONDS
                self._view.saw(picture, self._clock())
            self._changed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._hurry.wait()

    def look_now(self) -> None:
        """Do not wait for the next time."""
        self._hurry.set()

    def watch(self, watched: bool) -> None:
        """Say whether somebody looks at the network now; looking begins with a fresh look."""
        if watched and not self._watched:
            self.look_now()
        self._watched = watched

    async def _look(self) -> Picture:
        network = await self._router.network()
        if network is not None:
            return picture_of_network(network)
        health = await self._router.health()
        models = await self._router.models()
        metrics = await self._router.metrics()
        return picture_of_basics(health, models, metrics)
