"""States of the own node for the tests of the Contribute tab."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from idleclaw_tui.guards import PauseReason, Value
from idleclaw_tui.node_events import (
    DayChanged,
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    SpeedMeasured,
    StandingChanged,
)
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing, OllamaFacts
from idleclaw_tui.sharing_policy import GuardState, GuardView, Standing
from idleclaw_tui.sharing_settings import SharingSettings
from tests.screen.driving import FakeClock, Made, Screen, opened
from tests.screen.fake_node import FakeNode
from tests.screen.fakes import OFFERED, OLLAMA, FakeRouter, network, ollama_with_models

WALL: Final = 240.0

GUARDS: Final = (
    GuardView("quota_day", "clear", 18_420.0),
    GuardView("user_active", "clear", 840.0),
    GuardView("on_battery", "clear"),
    GuardView("owner_inference", "clear", float("inf")),
    GuardView("exclusive_app", "clear", ""),
    GuardView("cpu_busy", "clear", 9.0),
    GuardView("gpu_busy", "unknown"),
    GuardView("too_hot", "clear", 51.0),
    GuardView("low_memory", "clear", 12.4e9),
)
SERVING: Final = Standing("serving", "idle", guards=GUARDS)

STOPPED_BY: Final[dict[PauseReason, Value]] = {
    "paused_by_user": None,
    "quota_day": 50_000.0,
    "schedule": None,
    "on_battery": None,
    "user_active": 12.0,
    "owner_inference": 40.0,
    "exclusive_app": "blender",
    "cpu_busy": 61.0,
    "gpu_busy": 74.0,
    "too_hot": 86.0,
    "low_memory": 1.2e9,
}
"""Every reason to pause, with a figure that its guard might have looked at."""

CONNECTED: Final[tuple[NodeEvent, ...]] = (
    LinkChanged("connected"),
    ModelsChanged(OFFERED, "0.12.6"),
    SpeedMeasured("llama3.2:3b", 41.3),
    DayChanged(18_420, 31),
    StandingChanged(SERVING),
)
STREAMING: Final[tuple[NodeEvent, ...]] = (
    RequestChanged(1, "qwen3:8b", "done", 100.0, 24.9, 96, 512, 21.0),
    RequestChanged(2, "llama3.2:3b", "failed", 130.0, 4.2, 20, 0, None, "Ollama broke off."),
    RequestChanged(3, "llama3.2:3b", "declined", 155.0, 0.0),
    RequestChanged(4, "llama3.2:3b", "streaming", 200.0, 16.1, 412, 448, 38.0),
    RequestChanged(5, "qwen3:8b", "streaming", 206.0, 10.0, 88, 120, 20.5),
    RequestChanged(6, "llama3.2:3b", "streaming", 209.0, 7.2, 1_204, 93, 36.4),
    RequestChanged(7, "qwen3:8b", "queued", 214.0, 1.0),
)


def stopped_by(reason: PauseReason) -> Standing:
    """Return a standing that this reason alone has paused."""
    state: GuardState = "stop"
    guards = [view for view in GUARDS if view.reason != reason]
    if reason != "paused_by_user":
        at = next((i for i, view in enumerate(GUARDS) if view.reason == reason), 1)
        guards.insert(at, GuardView(reason, state, STOPPED_BY[reason]))
    quiet = reason in ("user_active", "owner_inference")
    return replace(
        SERVING,
        phase="paused",
        reasons=(reason,),
        guards=tuple(guards),
        resumes_in=275.0 if quiet else None,
    )


def plan(
    made: Made,
    *,
    settings: SharingSettings | None = None,
    at_once: bool = False,
    ollama: OllamaFacts | None = None,
) -> LocalSharing:
    """Return how the fake nodes are made, on a machine with two models and a wall clock."""

    async def look() -> OllamaFacts:
        return ollama or await ollama_with_models()

    return LocalSharing(
        NodeFeed(),
        OLLAMA,
        made,
        look,
        at_once,
        settings or SharingSettings(),
        wall=lambda: WALL,
    )


@asynccontextmanager
async def sharing(
    size: tuple[int, int],
    *events: NodeEvent,
    settings: SharingSettings | None = None,
    router: FakeRouter | None = None,
) -> AsyncIterator[tuple[Screen, FakeNode, FakeClock]]:
    """Open the tab on a node that shares, and tell these events besides."""
    clock, made = FakeClock(), Made()
    sharing = plan(made, settings=settings, at_once=True)
    async with opened(
        router or FakeRouter(network()), size, tab="contribute", sharing=sharing, clock=clock
    ) as screen:
        await screen.until(lambda: made.nodes, "a node")
        node = made.nodes[0]
        await tell(screen, node, *CONNECTED[1:], *events)
        yield screen, node, clock


async def tell(screen: Screen, node: FakeNode, *events: NodeEvent) -> None:
    """Let the node tell the events, one after the other, and the tab take them in."""
    for event in events:
        node.tell(event)
        screen.contribute.follow()
    await screen.pilot.pause()
