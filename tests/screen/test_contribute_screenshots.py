"""The states of the Contribute tab as they look, byte by byte."""

import pytest

from idleclaw_tui.errors import OllamaUnreachable
from idleclaw_tui.guards import PauseReason
from idleclaw_tui.node_events import LinkChanged, RequestChanged, StandingChanged
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing, OllamaFacts
from idleclaw_tui.sharing_settings import SharingSettings
from tests.screen.driving import Made, opened
from tests.screen.fakes import OLLAMA, FakeRouter, network
from tests.screen.sharing_states import STOPPED_BY, STREAMING, plan, sharing, stopped_by, tell
from tests.screen.shooting import SIZES, SMALL, USUAL, Shoot, Size, still


@SIZES
async def test_not_sharing(screenshot: Shoot, size: Size) -> None:
    choice = SharingSettings(models=("llama3.2:3b",), warm_up=("llama3.2:3b",))
    sharing = plan(Made(), settings=choice)
    async with opened(FakeRouter(network()), size, tab="contribute", sharing=sharing) as screen:
        await screen.until_shown("✓ Ollama 0.12.6", "✓ Router")
        screenshot(screen, still(screen, size, "contribute-off"))


@SIZES
async def test_a_checklist_that_fails(screenshot: Shoot, size: Size) -> None:
    async def no_ollama() -> OllamaFacts:
        raise OllamaUnreachable(OLLAMA)

    router = FakeRouter(network())
    router.gone = True
    plan = LocalSharing(NodeFeed(), OLLAMA, Made(), no_ollama)
    async with opened(router, size, tab="contribute", sharing=plan) as screen:
        await screen.until_shown("✕ No Ollama", "✕ No router")
        screenshot(screen, still(screen, size, "contribute-failing"))


@SIZES
async def test_sharing_while_nobody_asks(screenshot: Shoot, size: Size) -> None:
    async with sharing(size) as (screen, _, clock):
        clock.now += 700
        await screen.until_shown("connected for 11 min")
        screenshot(screen, still(screen, size, "contribute-idle"))


@SIZES
async def test_three_requests_streaming(screenshot: Shoot, size: Size) -> None:
    async with sharing(size, *STREAMING) as (screen, node, clock):
        clock.now += 700
        screen.contribute.sample_speed()
        for tokens in (0, 40, 44, 82, 120, 150, 189, 240, 300, 330, 370, 448):
            await tell(
                screen,
                node,
                RequestChanged(4, "llama3.2:3b", "streaming", 200.0, 16.1, 412, tokens, 38.0),
            )
            clock.now += 1
            screen.contribute.sample_speed()
        await screen.until_shown("serving 4 requests")
        screenshot(screen, still(screen, size, "contribute-streaming"))


@SIZES
async def test_the_router_gone(screenshot: Shoot, size: Size) -> None:
    gone = LinkChanged("waiting", "No router answers at https://api.idleclaw.com.", 42.0)
    async with sharing(size, *STREAMING[:3], gone) as (screen, _, _):
        await screen.until_shown("WAITING")
        screenshot(screen, still(screen, size, "contribute-gone"))


@SIZES
async def test_limits_being_changed(screenshot: Shoot, size: Size) -> None:
    settings = SharingSettings(tokens_a_day=50_000)
    async with sharing(size, settings=settings) as (screen, _, _):
        await screen.press("l")
        await screen.until_shown("requests at once")
        screenshot(screen, still(screen, size, "contribute-limits"))


@SIZES
async def test_paused(screenshot: Shoot, size: Size) -> None:
    async with sharing(size, *STREAMING[:3], StandingChanged(stopped_by("user_active"))) as (
        screen,
        _,
        _,
    ):
        await screen.until_shown("PAUSED")
        screenshot(screen, still(screen, size, "contribute-paused"))


@pytest.mark.parametrize("reason", STOPPED_BY)
async def test_paused_by(screenshot: Shoot, reason: PauseReason) -> None:
    pause = StandingChanged(stopped_by(reason))
    async with sharing(USUAL, *STREAMING[:3], pause) as (screen, _, _):
        await screen.until_shown("PAUSED", "paused: ")
        screenshot(screen, still(screen, USUAL, f"contribute-paused-{reason.replace('_', '-')}"))


@pytest.mark.parametrize("key", ["e", "g", "m"], ids=["events", "guards", "models"])
async def test_one_part_at_a_time(
    screenshot: Shoot, request: pytest.FixtureRequest, key: str
) -> None:
    async with sharing(SMALL, *STREAMING[:3]) as (screen, _, _):
        await screen.press(key)
        screenshot(screen, still(screen, SMALL, f"contribute-{request.node.callspec.id}"))
