"""A router, a node and a clock for tests of the screen: scripted, and read at a glance."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from types import TracebackType
from typing import Self

from idleclaw_protocol.chat import ChatBody
from idleclaw_protocol.frames import OfferedModel
from idleclaw_protocol.status import (
    Capabilities,
    Health,
    Metrics,
    ModelList,
    ModelNodes,
    ModelStatus,
    Network,
    NodeStatus,
    Totals,
)
from idleclaw_tui.errors import IdleClawError, NoEvents, RouterUnreachable
from idleclaw_tui.node.feed import NodeFeed
from idleclaw_tui.router.chat_updates import ChatUpdate
from idleclaw_tui.router.network_stream import NetworkStream
from idleclaw_tui.screen.app import IdleClawApp
from idleclaw_tui.screen.settings import DEFAULT_LOOK, Remember, ScreenSettings
from idleclaw_tui.screen.widgets.top_bar import TabName
from idleclaw_tui.sharing.local_sharing import LocalSharing, OllamaFacts
from tests.screen.fake_node import Made

SERVER = "https://api.idleclaw.com"
OLLAMA = "http://localhost:11434"


class FakeClock:
    """A clock that stands still until it is set forward."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


Step = ChatUpdate | IdleClawError | asyncio.Event | Callable[[], None]


class FakeRouter:
    """Plays a script per chat: updates go out, an Event is waited for, an error is raised.

    `script` is used for every chat. `bodies` are what was posted, `closed_early` counts chats that
    were closed before their script ended. `gone` makes every status call fail. Streams of changes
    are there where `page` is; each tells `page` at once and whenever `publish` changes it.
    """

    def __init__(self, network: Network | None, script: Sequence[Step] = ()) -> None:
        self.page = network
        self.script = list(script)
        self.bodies: list[ChatBody] = []
        self.closed_early = 0
        self.looks = 0
        self.gone = False
        self.streams = 0
        self.told = 0
        self._published = asyncio.Condition()
        self.basics = (
            Health(status="ok", uptime_seconds=4000, node_count=2),
            ModelList(
                models=("qwen3:8b", "llama3.2:3b"),
                capabilities={"qwen3:8b": Capabilities(thinking=True)},
            ),
            Metrics(
                nodes_connected=2,
                nodes_registered_total=9,
                requests_total=120,
                requests_active=1,
                requests_errors_total=2,
                models_available=(
                    ModelNodes(name="qwen3:8b", node_count=1),
                    ModelNodes(name="llama3.2:3b", node_count=2),
                ),
                uptime_seconds=4000,
            ),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    async def network(self) -> Network | None:
        self.looks += 1
        self._check()
        return self.page

    async def network_events(self, stream: NetworkStream) -> AsyncGenerator[Network, None]:
        self.looks += 1
        self._check()
        if self.page is None:
            raise NoEvents(SERVER)
        self.streams += 1
        try:
            while self.page is not None:
                yield self.page
                self.told += 1
                async with self._published:
                    await self._published.wait()
                self._check()
        finally:
            self.streams -= 1

    async def publish(self, network: Network | None) -> None:
        """Change the page, and tell those who listen."""
        self.page = network
        async with self._published:
            self._published.notify_all()

    async def health(self) -> Health:
        self._check()
        return self.basics[0]

    async def models(self) -> ModelList:
        self._check()
        return self.basics[1]

    async def metrics(self) -> Metrics:
        self._check()
        return self.basics[2]

    async def chat(self, body: ChatBody) -> AsyncGenerator[ChatUpdate, None]:
        self.bodies.append(body)
        ended = False
        try:
            for step in list(self.script):
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, IdleClawError):
                    ended = True
                    raise step
                elif callable(step):
                    step()
                else:
                    yield step
            ended = True
        finally:
            self.closed_early += not ended

    def _check(self) -> None:
        if self.gone:
            raise RouterUnreachable(SERVER, "refused")


LLAMA = ModelStatus(
    name="llama3.2:3b",
    nodes=5,
    slots_free=7,
    slots_total=10,
    size=2_019_393_189,
    parameter_size="3.2B",
    quantization="Q4_K_M",
    context_length=8192,
    capabilities=("completion", "tools"),
    loaded=True,
    tokens_per_second=41.2,
    first_token_seconds=0.6,
    first_token_seconds_p95=2.1,
)
QWEN = ModelStatus(
    name="qwen3:8b",
    nodes=3,
    slots_free=0,
    slots_total=6,
    queued=3,
    size=5_225_388_164,
    parameter_size="8.2B",
    quantization="Q4_K_M",
    context_length=40960,
    capabilities=("completion", "tools", "thinking"),
    tokens_per_second=22.4,
    first_token_seconds=2.1,
)
GEMMA = ModelStatus(
    name="gemma3:1b",
    nodes=1,
    slots_free=2,
    slots_total=2,
    size=815_319_791,
    parameter_size="999.89M",
    quantization="Q4_K_M",
    context_length=32768,
    capabilities=("completion",),
)


def node(alias: str, busy: int, total: int, **more: object) -> NodeStatus:
    """Return a node that has llama3.2:3b."""
    facts: dict[str, object] = {
        "alias": alias,
        "state": "serving" if busy else "idle",
        "models": ("llama3.2:3b",),
        "slots_busy": busy,
        "slots_total": total,
        "uptime_seconds": 11520,
        "ollama_version": "0.12.6",
        "tokens_per_second": 41.2,
    }
    return NodeStatus.model_validate(facts | more)


NODES = (
    node("amber-otter", 3, 4, models=("llama3.2:3b", "qwen3:8b")),
    node("brave-lynx", 0, 2, uptime_seconds=720, tokens_per_second=22.0),
    node("calm-heron", 2, 2, models=("qwen3:8b",), tokens_per_second=19.5),
    node("dusty-wren", 0, 4, state="paused", reason="on battery", tokens_per_second=None),
    node("early-crane", 1, 6, uptime_seconds=190_000, models=("gemma3:1b", "llama3.2:3b")),
)


def network(models: Sequence[ModelStatus] = (LLAMA, QWEN, GEMMA), speed: float = 84.0) -> Network:
    """Return what `/api/network` says of `models` and of the nodes above."""
    return Network(
        version="0.1.0",
        uptime_seconds=86_400,
        totals=Totals(
            nodes=len(NODES),
            models=len(models),
            slots_total=18,
            running=6,
            queued=3,
            tokens_per_second=speed,
        ),
        models=tuple(models),
        nodes=NODES,
    )


OFFERED = (
    OfferedModel(
        name="qwen3:8b",
        size=5_225_388_164,
        parameter_size="8.2B",
        quantization="Q4_K_M",
        context_length=40960,
    ),
    OfferedModel(
        name="llama3.2:3b",
        size=2_019_393_189,
        parameter_size="3.2B",
        quantization="Q4_K_M",
        context_length=8192,
    ),
)


async def ollama_with_models() -> OllamaFacts:
    """Answer as an Ollama that has two models."""
    return OllamaFacts("0.12.6", OFFERED, {"llama3.2:3b": 2_890_000_000})


def make_app(
    router: FakeRouter,
    *,
    clock: Callable[[], float] | None = None,
    sharing: LocalSharing | None = None,
    first_tab: TabName = "chat",
    label: str | None = None,
    settings: ScreenSettings = DEFAULT_LOOK,
    remember: Remember | None = None,
) -> IdleClawApp:
    """Return the app over fakes, with a clock that stands still unless one is given."""
    return IdleClawApp(
        router,
        sharing or LocalSharing(NodeFeed(), OLLAMA, Made(), ollama_with_models),
        SERVER,
        label=label,
        settings=settings,
        remember=remember,
        first_tab=first_tab,
        clock=clock or FakeClock(),
        clock_time=lambda seconds: f"14:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}",
    )
