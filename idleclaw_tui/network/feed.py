"""Follows what a router tells of its network: its stream of changes, or else its pages."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Final

from idleclaw_protocol.status import Health, Metrics, ModelList, Network
from idleclaw_tui.errors import IdleClawError, NotARouter, RouterRefused
from idleclaw_tui.router.network_stream import NetworkStream
from idleclaw_tui.router.protocol import Router

WATCHED_SECONDS: Final = 2.0
UNWATCHED_SECONDS: Final = 10.0
AFTER_AN_END_SECONDS: Final = 1.0
"""Pause before a stream that its router ended is asked for again."""
REFUSED_SECONDS: Final = 30.0
"""How long the pages do where the router takes no more listeners and says no time itself."""

LONGEST_SECONDS: Final = 300.0

Basics = tuple[Health, ModelList, Metrics]
"""What the original router tells instead of a `Network`."""
Sight = Network | Basics

Saw = Callable[[Sight], None]
Lost = Callable[[IdleClawError, float, bool], None]
"""Called with the error, the seconds until the next try, and whether a stream was live."""


class NetworkFeed:
    """Calls `saw` with every new state of the network, and `lost` where there is none to be had.

    While somebody watches, changes come as the router tells them; from routers without the stream,
    and while it has no room for one more, the pages are asked for every 2 s. While nobody does,
    they are asked for every 10 s, or 2 s where no model is online. A lost router is tried again
    after 2 s, then ever more slowly up to 10 s, or when it said, at most 5 min later. The callbacks
    must not wait.
    """

    def __init__(self, router: Router, saw: Saw, lost: Lost, *, watched: bool = False) -> None:
        self._router = router
        self._saw = saw
        self._lost = lost
        self._watched = watched
        self._hurry = asyncio.Event()
        self._stream = NetworkStream()
        self._live = False
        self._failures = 0
        self._pages_until = 0.0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            self._hurry.clear()
            try:
                delay = await self._follow()
            except IdleClawError as error:
                delay = self._failed(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._hurry.wait()

    def look_now(self) -> None:
        """Do not wait for the next time; where a stream is open, open it anew."""
        self._hurry.set()

    def watch(self, watched: bool) -> None:
        """Say whether somebody looks at the network now; looking begins with a fresh look."""
        if watched != self._watched:
            self._watched = watched
            if watched or self._live:
                self.look_now()

    async def _follow(self) -> float:
        """Look once, or for as long as a stream lasts; return the seconds to wait then."""
        clock = asyncio.get_running_loop().time
        if self._watched and clock() >= self._pages_until:
            try:
                await self._listen()
                return AFTER_AN_END_SECONDS
            except NotARouter:
                self._pages_until = clock() + REFUSED_SECONDS
            except RouterRefused as refused:
                self._pages_until = clock() + (refused.retry_after or REFUSED_SECONDS)
        sight = await self._look()
        self._failures = 0
        self._saw(sight)
        nothing = isinstance(sight, Network) and not sight.models
        return WATCHED_SECONDS if self._watched or nothing else UNWATCHED_SECONDS

    async def _listen(self) -> None:
        """Tell what the stream tells until it ends, or something else is wanted."""
        self._live = False
        reading = asyncio.create_task(self._read())
        hurried = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait({reading, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            self._live = False
        finally:
            for task in (reading, hurried):
                task.cancel()
            await asyncio.gather(reading, hurried, return_exceptions=True)

    async def _read(self) -> None:
        async with aclosing(self._router.network_events(self._stream)) as events:
            async for network in events:
                self._live, self._failures = True, 0
                self._saw(network)

    async def _look(self) -> Sight:
        network = await self._router.network()
        if network is not None:
            return network
        return (
            await self._router.health(),
            await self._router.models(),
            await self._router.metrics(),
        )

    def _failed(self, error: IdleClawError) -> float:
        delay = min(WATCHED_SECONDS * 2.0**self._failures, UNWATCHED_SECONDS)
        if isinstance(error, RouterRefused) and error.retry_after:
            delay = max(delay, min(float(error.retry_after), LONGEST_SECONDS))
        self._failures = min(self._failures + 1, 8)
        was_live, self._live = self._live, False
        self._lost(error, delay, was_live)
        return delay
