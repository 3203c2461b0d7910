"""The states of the Contribute tab as they look, byte by byte."""

from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing
from idleclaw_tui.sharing import LinkChanged, ModelsChanged, NodeEvent, RequestChanged
from tests.screen.driving import FakeClock, Made, opened
from tests.screen.fakes import OFFERED, OLLAMA, FakeRouter, network, ollama_with_models
from tests.screen.shooting import LARGE, SIZES, Shoot, Size, still


async def test_contribute_checklist(screenshot: Shoot) -> None:
    plan = LocalSharing(NodeFeed(), OLLAMA, Made(), ollama_with_models)
    async with opened(FakeRouter(network()), LARGE, tab="contribute", sharing=plan) as screen:
        await screen.until_shown("✓ Ollama 0.12.6", "✓ Router")
        screenshot(screen, still(screen, LARGE, "contribute-checklist"))


@SIZES
async def test_contribute(screenshot: Shoot, size: Size) -> None:
    clock, made = FakeClock(), Made()
    plan = LocalSharing(NodeFeed(), OLLAMA, made, ollama_with_models, at_once=True)
    events: list[NodeEvent] = [
        LinkChanged("connected"),
        ModelsChanged(OFFERED, "0.12.6"),
        RequestChanged(1, "qwen3:8b", "done", 100.0, 24.9, 96, 512, 21.0),
        RequestChanged(2, "llama3.2:3b", "failed", 160.0, 4.2, 20, 0, None, "Ollama broke off."),
        RequestChanged(3, "llama3.2:3b", "streaming", 200.0, 6.1, 412, 233, 38.0),
    ]
    router = FakeRouter(network())
    async with opened(router, size, tab="contribute", sharing=plan, clock=clock) as screen:
        await screen.until_shown("ready, nobody asks")
        for event in events:
            made.nodes[0].tell(event)
        await screen.until_shown("serving 1 request", "streaming")
        clock.now += 700
        for tokens in (240, 262, 299, 342, 372, 410, 448):
            event = RequestChanged(3, "llama3.2:3b", "streaming", 200.0, 6.1, 412, tokens, 38.0)
            made.nodes[0].tell(event)
            clock.now += 1
            screen.contribute.follow()
            screen.contribute.sample_speed()
        await screen.until_shown("connected for 11 min", "448")
        screenshot(screen, still(screen, size, "contribute"))
