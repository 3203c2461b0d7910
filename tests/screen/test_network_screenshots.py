"""The states of the Network tab as they look, byte by byte."""

import math

from textual.widgets import Input

from idleclaw_protocol.status import ModelStatus, Network, Totals
from idleclaw_tui.node_events import LinkChanged, ShownAs
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import LLAMA, OLLAMA, QWEN, FakeRouter, network, node
from tests.screen.shooting import LARGE, SIZES, Shoot, Size, still
from tests.waiting import wait_until

FAMILIES = ("codellama", "gemma3", "gpt-oss", "llama3.2", "mistral", "phi4", "qwen3")
ANIMALS = ("ant", "bear", "crane", "dove", "eel", "finch", "goat", "heron", "ibex", "jay")
MOODS = ("amber", "brave", "calm", "dusty", "early", "fond", "glad", "happy", "keen", "lucid")


def large_network() -> Network:
    """Return 1,000 nodes with 100 models."""
    models = tuple(
        ModelStatus(
            name=f"{FAMILIES[number % 7]}:{number + 1}b",
            nodes=1 + number * 7 % 60,
            slots_free=number * 13 % 90,
            slots_total=120,
            queued=max(0, number * 11 % 17 - 12),
            size=(number + 1) * 600_000_000,
            parameter_size=f"{number + 1}B",
            quantization="Q4_K_M" if number % 3 else "Q8_0",
            context_length=8192 << number % 5,
            capabilities=("completion",),
            tokens_per_second=float(120 - number),
            first_token_seconds=0.2 + number * 0.03,
        )
        for number in range(100)
    )
    nodes = tuple(
        node(
            f"{MOODS[number // 100]}-{ANIMALS[number // 10 % 10]}-{100 + number}",
            number * 7 % 5 if number % 9 else 0,
            4,
            state="paused" if number % 9 == 0 else "serving" if number * 7 % 5 else "idle",
            reason="by its owner" if number % 9 == 0 else None,
            models=tuple(models[(number + step) % 100].name for step in range(3)),
            uptime_seconds=600 * (number % 300),
            tokens_per_second=float(10 + number * 3 % 80),
        )
        for number in range(1000)
    )
    totals = Totals(
        nodes=1000, models=100, slots_total=4000, running=1780, queued=23, tokens_per_second=61_240
    )
    return Network(
        version="0.1.0", uptime_seconds=864_000, totals=totals, models=models, nodes=nodes
    )


async def live_through(screen: Screen, router: FakeRouter, clock: FakeClock) -> None:
    """Let a minute pass in which the network had more and less to do."""
    last = router.page
    assert last is not None
    for step in range(30):
        clock.now += 2
        wave = 0.5 + 0.5 * math.sin(step / 3)
        totals = last.totals.model_copy(
            update={
                "tokens_per_second": round(last.totals.tokens_per_second * (0.4 + wave), 1),
                "running": round(last.totals.running * (0.5 + wave / 2)),
                "queued": round(last.totals.queued * 2 * wave),
            }
        )
        llama = LLAMA.model_copy(update={"slots_free": round(10 * wave)})
        models = tuple(llama if model is LLAMA else model for model in last.models)
        await tell(screen, router, last.model_copy(update={"totals": totals, "models": models}))
    clock.now += 2
    await tell(screen, router, last)


async def tell(screen: Screen, router: FakeRouter, network: Network) -> None:
    """Publish a page and wait for the tab to take it in."""
    told = router.told
    await router.publish(network)
    await wait_until(lambda: router.told > told, "a change told")
    await screen.pilot.pause()


@SIZES
async def test_small_network(screenshot: Shoot, size: Size) -> None:
    clock, router, feed = FakeClock(), FakeRouter(network()), NodeFeed()
    feed.publish(LinkChanged("connected"))
    feed.publish(ShownAs("calm-heron"))
    plan = LocalSharing(feed, OLLAMA)
    async with opened(router, size, tab="network", clock=clock, sharing=plan) as screen:
        await screen.until_shown("llama3.2:3b", "yours · calm-heron")
        await live_through(screen, router, clock)
        await screen.press("down")
        screenshot(screen, still(screen, size, "network"))


@SIZES
async def test_empty(screenshot: Shoot, size: Size) -> None:
    nothing = Totals(nodes=0, models=0, slots_total=0, running=0, queued=0, tokens_per_second=0)
    page = network(()).model_copy(update={"nodes": (), "totals": nothing})
    async with opened(FakeRouter(page), size, tab="network") as screen:
        await screen.until_shown("No model is online now.")
        screenshot(screen, still(screen, size, "network-empty"))


@SIZES
async def test_a_thousand_nodes(screenshot: Shoot, size: Size) -> None:
    clock, router = FakeClock(), FakeRouter(large_network())
    async with opened(router, size, tab="network", clock=clock) as screen:
        await screen.until_shown("codellama:1b")
        await live_through(screen, router, clock)
        await screen.press("tab", "pagedown", "pagedown", "down")
        screenshot(screen, still(screen, size, "network-large"))


@SIZES
async def test_filter(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(large_network()), size, tab="network") as screen:
        await screen.until_shown("codellama:1b")
        await screen.press("slash", *"qwen")
        await screen.until_shown("/ qwen")
        screen.app.screen.query_one("#network-filter Input", Input).cursor_blink = False
        screenshot(screen, still(screen, size, "network-filter"))


@SIZES
async def test_detail(screenshot: Shoot, size: Size) -> None:
    clock, router = FakeClock(), FakeRouter(network())
    async with opened(router, size, tab="network", clock=clock) as screen:
        await screen.until_shown("llama3.2:3b")
        await live_through(screen, router, clock)
        if size == LARGE:
            await screen.press("tab", "down", "down", "down")
            await screen.until_shown("on battery")
        else:
            await screen.press("down", "d")
            await screen.until_shown("first token")
        screenshot(screen, still(screen, size, "network-detail"))


@SIZES
async def test_router_gone(screenshot: Shoot, size: Size) -> None:
    clock, router = FakeClock(), FakeRouter(network())
    async with opened(router, size, tab="network", clock=clock) as screen:
        await screen.until_shown("llama3.2:3b")
        clock.now += 60
        router.gone = True
        await screen.press("r")
        await screen.until_shown("r tries at once", "api.idle")
        screenshot(screen, still(screen, size, "network-gone"))


@SIZES
async def test_original_router(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(None), size, tab="network") as screen:
        await screen.until_shown("This router does not tell")
        screenshot(screen, still(screen, size, "network-original"))


@SIZES
async def test_sorted_by_speed(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network())
    async with opened(router, size, tab="network") as screen:
        await screen.until_shown("llama3.2:3b")
        await screen.press(*["o"] * {120: 7, 80: 6, 40: 2}[size[0]])
        faster = QWEN.model_copy(update={"tokens_per_second": 60.0})
        await tell(screen, router, network((LLAMA, faster)))
        await screen.until_shown("tok/s↓")
        screenshot(screen, still(screen, size, "network-sorted"))
