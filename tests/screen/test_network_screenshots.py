"""The states of the Network tab as they look, byte by byte."""

from tests.screen.driving import FakeClock, opened
from tests.screen.fakes import FakeRouter, network
from tests.screen.shooting import LARGE, SIZES, Shoot, Size, still


@SIZES
async def test_network(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network()), size, tab="network") as screen:
        await screen.until_shown("llama3.2:3b", "amber-otter")
        screenshot(screen, still(screen, size, "network"))


async def test_network_unreachable(screenshot: Shoot) -> None:
    clock, router = FakeClock(), FakeRouter(network())
    async with opened(router, LARGE, tab="network", clock=clock) as screen:
        await screen.until_shown("llama3.2:3b", "amber-otter")
        clock.now += 60
        router.gone = True
        await screen.press("r")
        await screen.until_shown("as of 60 s ago", "retrying in 2 s", "unreachable")
        screenshot(screen, still(screen, LARGE, "network-unreachable"))
