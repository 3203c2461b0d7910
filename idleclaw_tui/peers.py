"""What the screen talks to, as the screen sees it: a router, a node of its own, an Ollama."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from idleclaw_protocol.chat import ChatBody
from idleclaw_protocol.frames import OfferedModel
from idleclaw_protocol.status import Health, Metrics, ModelList, Network
from idleclaw_tui.chat_updates import ChatUpdate
from idleclaw_tui.network_stream import NetworkStream
from idleclaw_tui.node_events import NodeEvent, SpeedMeasured
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.sharing_settings import DEFAULT_SETTINGS, SharingSettings


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

    def pause(self) -> None:
        """Serve nobody until `resume`, but stay connected."""
        ...

    def resume(self) -> None:
        """Take `pause` back."""
        ...

    def change(self, settings: SharingSettings) -> None:
        """Take other settings, which hold at once; running requests end under the old ones."""
        ...

    def try_now(self) -> None:
        """End a wait for the router or for Ollama."""
        ...


@dataclass(frozen=True, slots=True)
class OllamaFacts:
    """What the local Ollama has to offer, and the bytes that models take in memory, by name."""

    version: str | None
    models: tuple[OfferedModel, ...]
    loaded: Mapping[str, int] = field(default_factory=dict)


MakeNode = Callable[[SharingSettings, Callable[[NodeEvent], None]], SharingNode]
"""Builds a node that tells its events to the given function."""

LookAtOllama = Callable[[], Awaitable[OllamaFacts]]
"""Asks the local Ollama; raises IdleClawError where it does not answer."""

MeasureSpeed = Callable[[Sequence[OfferedModel], SharingSettings], Awaitable[SpeedMeasured]]
"""Measures one of the models, unless the machine is needed for something else."""


async def _no_ollama() -> OllamaFacts:
    return OllamaFacts(None, ())


async def _no_measure(_: Sequence[OfferedModel], __: SharingSettings) -> SpeedMeasured:
    return SpeedMeasured(None, why_not="There is nothing to measure it with.")


@dataclass(frozen=True, slots=True)
class LocalSharing:
    """How this machine is shared: where the node's events come in, and how a node is made.

    Without `make_node` the node runs elsewhere and publishes to `feed` for as long as the program
    runs; then nothing can be chosen. With `at_once` sharing begins with the program. `settings`
    are those at the start, `notice` what is to be said of them; `save` keeps others, raises
    `IdleClawError` where that fails, and is called in a thread. `wall` tells the time since the
    epoch.
    """

    feed: NodeFeed
    ollama_url: str
    make_node: MakeNode | None = None
    look_at_ollama: LookAtOllama = _no_ollama
    at_once: bool = False
    settings: SharingSettings = DEFAULT_SETTINGS
    save: Callable[[SharingSettings], None] = lambda _: None
    notice: str | None = None
    measure: MeasureSpeed = _no_measure
    wall: Callable[[], float] = time.time
