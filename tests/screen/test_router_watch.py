"""How the router is looked at again and again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from idleclaw_tui.network.router_watch import RouterWatch
from idleclaw_tui.network.view import NetworkView
from tests.screen.fakes import SERVER, FakeClock, FakeRouter, network
from tests.waiting import wait_until


@asynccontextmanager
async def watching(
    router: FakeRouter, view: NetworkView, clock: FakeClock
) -> AsyncIterator[tuple[RouterWatch, Callable[[], int]]]:
    changes: list[None] = []
    watch = RouterWatch(router, view, clock, lambda: changes.append(None))
    task = asyncio.create_task(watch.run())
    yield watch, lambda: len(changes)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_router_that_goes_and_comes_back() -> None:
    router, view, clock = FakeRouter(network()), NetworkView(SERVER), FakeClock()
    async with watching(router, view, clock) as (watch, changes):
        await wait_until(lambda: changes() == 1, "first look")
        assert view.reachable

        router.gone = True
        watch.look_now()
        await wait_until(lambda: changes() == 2, "second look")
        assert not view.reachable
        assert view.trouble(clock()) == (
            "No router answers at https://api.idleclaw.com. Check the address (--server) and your "
            "internet connection. Retrying in 2 s."
        )

        router.gone = False
        watch.look_now()
        await wait_until(lambda: changes() == 3, "third look")
        assert view.reachable


async def test_failures_are_retried_ever_more_slowly_up_to_ten_seconds() -> None:
    router, view, clock = FakeRouter(network()), NetworkView(SERVER), FakeClock()
    router.gone = True
    delays = []
    async with watching(router, view, clock) as (watch, changes):
        for look in range(1, 6):
            await wait_until(partial(lambda number: changes() == number, look), "look")
            trouble = view.trouble(clock())
            assert trouble is not None
            delays.append(trouble.rpartition("in ")[2])
            watch.look_now()
    assert delays == ["2 s.", "4 s.", "8 s.", "10 s.", "10 s."]


async def test_a_router_without_api_network_is_asked_for_what_it_has() -> None:
    view = NetworkView(SERVER)
    async with watching(FakeRouter(None), view, FakeClock()) as (_, changes):
        await wait_until(changes, "first look")
    assert view.picture is not None
    assert view.picture.node_count == 2
    assert view.picture.nodes is None


async def test_beginning_to_watch_takes_a_fresh_look() -> None:
    router = FakeRouter(network())
    async with watching(router, NetworkView(SERVER), FakeClock()) as (watch, changes):
        await wait_until(lambda: changes() == 1, "first look")
        watch.watch(True)
        await wait_until(lambda: changes() == 2, "fresh look")
        watch.watch(True)
        assert router.looks == 2
