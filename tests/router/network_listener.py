"""A listener to the network's events, over real HTTP, that knows what it was told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx

from idleclaw_protocol.network_changes import NetworkChanges, apply
from idleclaw_protocol.status import Network
from tests.router.consumer import client, event_blocks

_PATIENCE_SECONDS = 10
PATH = "/api/network/events"


class Listening:
    """An open stream. `network` is what the events so far add up to, `events` their kinds."""

    def __init__(self, response: httpx.Response, known: Network | None) -> None:
        self.response = response
        self.network = known
        self.events: list[str] = []
        self.comments = 0
        self.last_event_id = ""
        self._blocks = event_blocks(response)

    async def next(self) -> str:
        """Take in the next event and return its kind; comments are passed over."""
        with anyio.fail_after(_PATIENCE_SECONDS):
            async for block in self._blocks:
                if block.startswith(": "):
                    self.comments += 1
                else:
                    return self._take(block)
        raise EOFError

    async def until(self, told: str, value: object) -> None:
        """Take events in until one of the totals has that value."""
        while self.network is None or getattr(self.network.totals, told) != value:
            await self.next()

    async def over(self) -> None:
        """Take in all that comes until the stream is over."""
        try:
            while True:
                await self.next()
        except EOFError:
            return

    def _take(self, block: str) -> str:
        number, kind, data = block.split("\n")
        self.last_event_id = number.removeprefix("id: ")
        kind, data = kind.removeprefix("event: "), data.removeprefix("data: ")
        self.events.append(kind)
        if kind == "snapshot":
            self.network = Network.model_validate_json(data)
        else:
            assert self.network is not None
            self.network = apply(self.network, NetworkChanges.model_validate_json(data))
        return kind


@asynccontextmanager
async def listening(
    url: str, last_event_id: str | None = None, known: Network | None = None
) -> AsyncIterator[Listening]:
    """An open stream; leaving the context disconnects."""
    headers = {} if last_event_id is None else {"last-event-id": last_event_id}
    async with client(url) as http, http.stream("GET", PATH, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield Listening(response, known)
