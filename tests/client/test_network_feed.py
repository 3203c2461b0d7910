"""How a router is followed: its stream, its pages where it has none, and its absence."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from idleclaw_protocol.status import Network
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.network.feed import NetworkFeed, Sight
from idleclaw_tui.router.client import RouterClient
from tests.client.test_network_events import BUSIER, SNAPSHOT, event
from tests.fake_router_http import Cut, FakeRouter, Hold, Refuse, Step
from tests.network_pages import NETWORK
from tests.waiting import wait_until

EVENTS, PAGE = "/api/network/events", "/api/network"
FOR_EVER = Hold(asyncio.Event())


class Following:
    """What a feed called, in turn."""

    def __init__(self, client: RouterClient, *, watched: bool) -> None:
        self.sights: list[Sight] = []
        self.losses: list[tuple[IdleClawError, float, bool]] = []
        self.feed = NetworkFeed(client, self.sights.append, self._lost, watched=watched)

    def _lost(self, error: IdleClawError, retry_seconds: float, was_live: bool) -> None:
        self.losses.append((error, retry_seconds, was_live))

    async def saw(self, times: int) -> Sight:
        """Wait for that many sights and return the last."""
        await wait_until(lambda: len(self.sights) >= times, f"{times} sights")
        return self.sights[times - 1]

    async def lost(self, times: int) -> tuple[IdleClawError, float, bool]:
        """Wait for that many losses and return the last."""
        await wait_until(lambda: len(self.losses) >= times, f"{times} losses")
        return self.losses[times - 1]


@asynccontextmanager
async def following(client: RouterClient, *, watched: bool = True) -> AsyncIterator[Following]:
    following = Following(client, watched=watched)
    task = asyncio.create_task(following.feed.run())
    yield following
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_the_stream_is_followed(router: FakeRouter, client: RouterClient) -> None:
    gate = asyncio.Event()
    router.network_events = [SNAPSHOT, Hold(gate), BUSIER, FOR_EVER]
    async with following(client) as follower:
        await follower.saw(1)
        gate.set()
        sight = await follower.saw(2)
    assert isinstance(sight, Network)
    assert sight.totals.running == 6
    assert router.paths == [EVENTS]


async def test_a_router_without_the_stream_is_asked_for_its_page(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network = NETWORK
    async with following(client) as follower:
        assert isinstance(await follower.saw(1), Network)
        follower.feed.look_now()
        await follower.saw(2)
    assert router.paths == [EVENTS, PAGE, PAGE], "it is not asked for the stream each time"


async def test_the_original_router_is_asked_for_its_three_pages(
    router: FakeRouter, client: RouterClient
) -> None:
    async with following(client) as follower:
        sight = await follower.saw(1)
    assert isinstance(sight, tuple)
    assert sight[0].node_count == 2
    assert router.paths == [EVENTS, PAGE, "/health", "/api/models", "/metrics"]
    assert follower.losses == []


async def test_a_router_with_no_room_for_a_listener_is_asked_for_its_page(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network = NETWORK
    for status in (429, 503):
        refusal = Refuse(status, {"detail": "Too many listeners."}, {"Retry-After": "60"})
        router.network_events = refusal
        async with following(client) as follower:
            await follower.saw(1)
        assert follower.losses == []


async def test_a_stream_that_breaks_is_told_and_taken_up_again(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network_events = [SNAPSHOT, Cut()]
    async with following(client) as follower:
        _, delay, was_live = await follower.lost(1)
        assert (delay, was_live) == (2.0, True)
        router.network_events = [BUSIER, FOR_EVER]
        seen = len(follower.sights)
        follower.feed.look_now()
        sight = await follower.saw(seen + 2)
    assert isinstance(sight, Network)
    assert sight.totals.running == 6
    assert router.last_event_ids == ["", "e-0"]


async def test_a_stream_that_the_router_ends_is_no_loss(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network_events = [SNAPSHOT]
    async with following(client) as follower:
        await follower.saw(2)
    assert follower.losses == []


async def test_a_stream_that_makes_no_sense_is_replaced_by_the_page(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network = NETWORK
    nonsense: Sequence[Step] = [event("changes", 1, {"uptime_seconds": 1})]
    router.network_events = nonsense
    async with following(client) as follower:
        await follower.saw(1)
    assert router.paths == [EVENTS, PAGE]


async def test_nobody_listens_while_nobody_watches(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network = NETWORK
    router.network_events = [SNAPSHOT, FOR_EVER]
    async with following(client, watched=False) as follower:
        await follower.saw(1)
        assert router.paths == [PAGE]
        follower.feed.watch(True)
        await follower.saw(2)
        follower.feed.watch(False)
        await follower.saw(3)
    assert router.paths == [PAGE, EVENTS, PAGE]


async def test_a_router_that_is_gone_is_tried_ever_more_slowly() -> None:
    async with RouterClient("http://127.0.0.1:1") as client, following(client) as follower:
        delays = []
        for times in range(1, 6):
            _, delay, was_live = await follower.lost(times)
            assert not was_live
            delays.append(delay)
            follower.feed.look_now()
    assert delays == [2.0, 4.0, 8.0, 10.0, 10.0]


async def test_a_router_that_says_when_to_come_again_is_believed_up_to_a_bound(
    router: FakeRouter, client: RouterClient
) -> None:
    router.network = {}
    for seconds, waited in (("60", 60.0), ("80000", 300.0), ("1", 2.0)):
        router.status_answer = (429, {"Retry-After": seconds})
        async with following(client, watched=False) as follower:
            assert (await follower.lost(1))[1] == waited
