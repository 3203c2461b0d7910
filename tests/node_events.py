"""What a node tells its owner, kept and waited for by tests."""

import asyncio
from collections.abc import Callable
from typing import Any

from idleclaw_tui.node_events import NodeEvent, RequestChanged
from tests.fake_router_ws import FakeRouter, NodeConnection


class ToldEvents:
    """Everything that a node of `router` has told so far."""

    def __init__(self, router: FakeRouter) -> None:
        self.router = router
        self.events: list[NodeEvent] = []
        self._changed = asyncio.Event()

    def note(self, event: NodeEvent) -> None:
        """Take in what the node tells."""
        self.events.append(event)
        self._changed.set()

    async def one_more(self) -> None:
        """Wait for the next event."""
        self._changed.clear()
        await self._changed.wait()

    async def event(self, matches: Callable[[Any], object]) -> Any:
        """The first event that matches, waiting for it."""
        while True:
            found = next((event for event in self.events if matches(event)), None)
            if found is not None:
                return found
            await self.one_more()

    async def ended(self, number: int = 1) -> RequestChanged:
        """The end of a request, waiting for it."""
        event = await self.event(
            lambda e: isinstance(e, RequestChanged) and e.number == number and e.ended
        )
        assert isinstance(event, RequestChanged)
        return event

    async def connection(self, index: int = 0) -> NodeConnection:
        """One of the node's connections, waiting for it."""
        return await self.router.node(index)
