"""A router as the screen and the feed of its state see it."""

from collections.abc import AsyncGenerator
from typing import Protocol

from idleclaw_protocol.chat import ChatBody
from idleclaw_protocol.status import Health, Metrics, ModelList, Network
from idleclaw_tui.router.chat_updates import ChatUpdate
from idleclaw_tui.router.network_stream import NetworkStream


class Router(Protocol):
    """A router that a consumer talks to. Every call raises IdleClawError where it fails."""

    async def health(self) -> Health:
        """Return `GET /health`."""
        ...

    async def models(self) -> ModelList:
        """Return `GET /api/models`."""
        ...

    async def metrics(self) -> Metrics:
        """Return `GET /metrics`."""
        ...

    async def network(self) -> Network | None:
        """Return `GET /api/network`, None where the router does not have it."""
        ...

    def network_events(self, stream: NetworkStream) -> AsyncGenerator[Network, None]:
        """Yield the network now and after every change; raises NoEvents where there is no such."""
        ...

    def chat(self, body: ChatBody) -> AsyncGenerator[ChatUpdate, None]:
        """Yield the answer, ending in exactly one Finished; closing it cancels at the router."""
        ...
