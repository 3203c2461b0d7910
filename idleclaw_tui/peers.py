"""What the screen talks to, as the screen sees it: a router, a node of its own, an Ollama."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from idleclaw_protocol.chat import ChatBody
from idleclaw_protocol.frames import OfferedModel
from idleclaw_protocol.status import Health, Metrics, ModelList, Network
from idleclaw_tui.chat_updates import ChatUpdate
from idleclaw_tui.network_stream import NetworkStream
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.sharing import NodeEvent


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


class SharingNode(Protocol):
    """A node that shares this machine's Ollama."""

    async def run(self) -> None:
        """Share until stopped; raises IdleClawError where sharing cannot go on."""
        ...

    def stop(self) -> None:
        """Finish the running requests, then return from `run`."""
        ...

    def stop_now(self) -> None:
        """Cancel the running requests and return from `run`."""
        ...


@dataclass(frozen=True, slots=True)
class OllamaFacts:
    """What the local Ollama has to offer."""

    version: str | None
    models: tuple[OfferedModel, ...]


MakeNode = Callable[[Callable[[NodeEvent], None]], SharingNode]
"""Builds a node that tells its events to the given function."""

LookAtOllama = Callable[[], Awaitable[OllamaFacts]]
"""Asks the local Ollama; raises IdleClawError where it does not answer."""


async def _no_ollama() -> OllamaFacts:
    return OllamaFacts(None, ())


@dataclass(frozen=True, slots=True)
class LocalSharing:
    """How this machine is shared: where the node's events come in, and how a node is made.

    Without `make_node` the node runs elsewhere and publishes to `feed` for as long as the program
    runs. With `at_once` sharing begins with the program.
    """

    feed: NodeFeed
    ollama_url: str
    make_node: MakeNode | None = None
    look_at_ollama: LookAtOllama = _no_ollama
    at_once: bool = False
