"""Listening to a router's changes over HTTP, to a scripted router and to the real one."""

import asyncio
import json
from contextlib import aclosing

import pytest

from idleclaw_protocol.status import Network
from idleclaw_tui.errors import (
    NoEvents,
    NotARouter,
    RateLimited,
    RouterRefused,
    RouterUnreachable,
)
from idleclaw_tui.router.client import RouterClient
from idleclaw_tui.router.network_stream import NetworkStream
from tests.fake_router_http import Cut, FakeRouter, Hold, Raw, Refuse, comment
from tests.network_pages import NETWORK, model, network
from tests.router.running import routing
from tests.router.scripted_node import registered


def event(kind: str, number: int, payload: object) -> Raw:
    """Return an event as our router frames it."""
    return Raw(f"id: e-{number}\nevent: {kind}\ndata: {json.dumps(payload)}\n\n".encode())


SNAPSHOT = event("snapshot", 0, NETWORK)
BUSIER = event("changes", 1, {"uptime_seconds": 11_600, "totals": {"running": 6}})
IDLE = event("changes", 2, {"uptime_seconds": 11_700, "totals": {"running": 0}})


async def heard(client: RouterClient, stream: NetworkStream) -> list[int]:
    """Return how many requests ran, at every change until the stream ends."""
    async with aclosing(client.network_events(stream)) as events:
        return [network.totals.running async for network in events]


async def test_a_snapshot_and_changes(router: FakeRouter, client: RouterClient) -> None:
    router.network_events = [comment(), SNAPSHOT, comment(), BUSIER, IDLE]
    assert await heard(client, NetworkStream()) == [1, 6, 0]
    assert router.last_event_ids == [""]


async def test_after_a_break_it_goes_on_where_it_was(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network_events = [SNAPSHOT, BUSIER, Cut()]
    stream = NetworkStream()
    with pytest.raises(RouterUnreachable):
        await heard(client, stream)
    router.network_events = [comment(), IDLE]
    assert await heard(client, stream) == [6, 0], "what is known is shown before what is new"
    assert router.last_event_ids == ["", "e-1"]


async def test_a_large_snapshot(router: FakeRouter, client: RouterClient) -> None:
    many = [model(f"m{number}:1b") for number in range(3_000)]
    router.network_events = [event("snapshot", 0, network(many, []))]
    stream = NetworkStream()
    await heard(client, stream)
    assert stream.network is not None
    assert len(stream.network.models) == 3_000


async def test_an_event_of_more_than_4_mib_is_too_much(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network_events = [SNAPSHOT, Raw(b": " + b"x" * (5 << 20))]
    with pytest.raises(NotARouter, match="more than it was asked for"):
        await heard(client, NetworkStream())


async def test_a_router_without_the_stream(router: FakeRouter, client: RouterClient) -> None:
    with pytest.raises(NoEvents):
        await heard(client, NetworkStream())


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, RouterRefused)])
async def test_a_router_that_has_no_room(
    router: FakeRouter, client: RouterClient, status: int, error: type[RouterRefused]
) -> None:
    router.network_events = Refuse(status, {"detail": "Too many listeners."}, {"Retry-After": "7"})
    with pytest.raises(error) as caught:
        await heard(client, NetworkStream())
    assert caught.value.retry_after == 7


async def test_changes_that_make_no_sense(router: FakeRouter, client: RouterClient) -> None:
    router.network_events = [SNAPSHOT, event("changes", 1, {"totals": {"running": "many"}})]
    stream = NetworkStream()
    with pytest.raises(NotARouter, match="changes are not understood"):
        await heard(client, stream)
    assert stream.last_event_id == ""


async def test_closing_it_leaves(router: FakeRouter, client: RouterClient) -> None:
    router.network_events = [SNAPSHOT, Hold(asyncio.Event())]
    async with aclosing(client.network_events(NetworkStream())) as events:
        assert isinstance(await anext(events), Network)


async def test_our_router_tells_what_its_page_tells() -> None:
    async with routing() as router, registered(router.url, "a"), RouterClient(router.url) as client:
        async with aclosing(client.network_events(NetworkStream())) as events:
            await anext(events)
            async with registered(router.url, "b", ["qwen3:8b"], slots=3):
                async for told in events:
                    if told.totals.nodes == 2:
                        break
                page = await client.network()
    assert page is not None
    assert (told.totals, told.models, told.nodes) == (page.totals, page.models, page.nodes)
