"""Who may speak for whom: a frame speaks for the connection it came in on, and for no other."""

from contextlib import AsyncExitStack

import pytest

from idleclaw_server.policy import Policy
from tests.router.consumer import asking, client, content, finish
from tests.router.running import routing
from tests.router.scripted_node import connected, registered
from tests.router.simulator import Simulation


@pytest.mark.parametrize("kind", ["inference_chunk", "inference_error", "inference_cancelled"])
async def test_frames_with_anothers_request_id_change_nothing(kind: str) -> None:
    """A1: a node that knows the id of another's request cannot speak in its stream."""
    async with (
        routing() as router,
        registered(router.url, "honest", ["honest:1b"]) as honest,
        registered(router.url, "evil", ["evil:1b"]) as evil,
        asking(router.url, model="honest:1b") as answer,
    ):
        asked = await honest.asked()
        injected = {"message": {"content": "INJECTED"}, "done": True}
        await evil.send(type=kind, request_id=asked.request_id, error="x", chunk=injected)
        await evil.settled()
        assert router.core.counters.strays == 1
        await honest.answer(asked.request_id, "honest")
        assert await answer.text() == "honest"


async def test_a_node_that_keeps_guessing_request_ids_is_closed() -> None:
    """A1: strays are counted by connection, and enough of them close it."""
    async with routing() as router, registered(router.url) as node:
        for number in range(25):
            await node.chunk(f"guess-{number}", "x")
        assert await node.close_frame() == (1008, "too many unexpected frames")


def test_frames_that_cross_a_cancel_are_borne_and_later_ones_are_not() -> None:
    """A25: consumers that leave cannot make a node look like a flooder; a flooder is closed."""
    world = Simulation(Policy())
    peer = world.join("n", ["m0"])
    consumer = world.submit("someone", "m0")
    assert peer is not None
    assert consumer is not None
    (request_id,) = peer.jobs
    world.depart(consumer)
    chunk = {"message": {"content": "on its way"}, "done": False}
    for _ in range(5_000):
        world.frame(peer, "chunk", request_id, chunk)
    assert peer.closed is None
    world.now += world.core.policy.cancel_ack_seconds + 1
    for _ in range(1_000):
        world.frame(peer, "chunk", request_id, chunk)
    assert peer.closed is None
    world.frame(peer, "chunk", request_id, chunk)
    assert peer.closed == (1008, "too many unexpected frames")


async def test_nothing_after_the_end_reaches_the_consumer() -> None:
    """A25: a second end, an error or text after `done` are dropped."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.done(asked.request_id, "text")
        await node.chunk(asked.request_id, "more")
        await node.done(asked.request_id, "again")
        await node.error(asked.request_id)
        await node.settled()
        events = await answer.rest()
    assert "".join(map(content, events)) == "text"
    assert [finish(event) for event in events] == [None, "stop"]


@pytest.mark.parametrize(
    "fields",
    [
        {"active_requests": 99},
        {"active_requests": 10**30},
        {"active_requests": 2, "max_concurrent": 1, "available": False},
    ],
)
async def test_a_heartbeat_in_anothers_name_says_nothing_about_the_other(
    fields: dict[str, object],
) -> None:
    """A2: `node_id` in a heartbeat is ignored; the connection says who speaks."""
    async with (
        routing() as router,
        registered(router.url, "victim", ["victim:1b"]) as victim,
        registered(router.url, "evil", ["evil:1b"]) as evil,
    ):
        await evil.heartbeat(node_id="victim", **fields)
        await evil.settled()
        async with asking(router.url, model="victim:1b") as answer:
            await victim.answer((await victim.asked()).request_id, "served")
            assert await answer.text() == "served"


async def test_a_heartbeat_can_lower_the_own_capacity_and_never_raise_it() -> None:
    """A2: absurd numbers are clamped; zero or less means nothing."""
    async with routing() as router, registered(router.url, slots=3) as node:
        listed = next(iter(router.core.registry))
        for fields, slots, busy in [
            ({"max_concurrent": 10}, 3, 0),
            ({"max_concurrent": 10**20}, 3, 0),
            ({"max_concurrent": 2}, 2, 0),
            ({"max_concurrent": -7}, 1, 0),
            ({}, 3, 0),
            ({"active_requests": -5}, 3, 0),
            ({"active_requests": 2}, 3, 2),
            ({"active_requests": 10**300}, 3, 3),
            ({"active_requests": 0}, 3, 0),
        ]:
            await node.heartbeat(**fields)
            await node.settled()
            assert (listed.slots, listed.busy_slots) == (slots, busy), fields


async def test_a_node_that_asks_for_a_pause_gets_nothing_until_it_is_back() -> None:
    async with routing() as router, registered(router.url) as node:
        await node.heartbeat(available=False, reason="owner_needs_machine")
        await node.settled()
        async with asking(router.url) as answer:
            assert (await answer.event())["queue"]["position"] == 1
            await node.heartbeat(available=True)
            await node.answer((await node.asked()).request_id, "back")
            assert "back" in await answer.text()


async def test_a_live_node_id_is_taken_over_only_with_its_secret() -> None:
    """A3: knowing a node_id is not enough, and the refused try disturbs nobody."""
    async with routing() as router, registered(router.url, "alpha", secret="s3") as first:
        async with asking(router.url) as answer:
            asked = await first.asked()
            for secret in ({}, {"secret": ""}, {"secret": "wrong"}, {"secret": "s3 "}):
                async with connected(router.url) as thief:
                    await thief.send(
                        type="register",
                        node_id="alpha",
                        models=[{"name": "tiny:1b", "size": 1}],
                        **secret,
                    )
                    assert await thief.close_frame() == (1008, "node_id in use")
            await first.answer(asked.request_id, "still here")
            assert await answer.text() == "still here"


async def test_without_a_secret_nobody_takes_over() -> None:
    """A3: two nodes that both bring no secret cannot replace each other."""
    async with routing() as router, registered(router.url, "alpha"):
        async with connected(router.url) as second:
            await second.send(type="register", node_id="alpha", models=[{"name": "x", "size": 1}])
            assert await second.close_frame() == (1008, "node_id in use")
        assert list(router.core.registry.models) == ["tiny:1b"]


async def test_a_takeover_survives_the_old_connections_cleanup() -> None:
    """A3: the end of a replaced connection never removes the one that replaced it."""
    async with routing() as router, AsyncExitStack() as connections:
        old = await connections.enter_async_context(registered(router.url, "alpha", secret="s"))
        for _ in range(20):
            new = await connections.enter_async_context(registered(router.url, "alpha", secret="s"))
            assert await old.close_frame() == (1000, "re-registered")
            await old.socket.wait_closed()
            await new.settled()
            async with asking(router.url) as answer:
                await new.answer((await new.asked()).request_id, "served")
                assert await answer.text() == "served"
            assert len(router.core.registry) == 1
            old = new


async def test_a_takeover_re_routes_what_was_running_before_its_first_token() -> None:
    """A3: requests of the replaced connection go to other nodes or end, never to the same again."""
    async with routing() as router, registered(router.url, "alpha", secret="s") as old:
        async with asking(router.url, "early") as early, asking(router.url, "late") as late:
            by_prompt = {asked.prompt: asked for asked in (await old.asked(), await old.asked())}
            await old.chunk(by_prompt["late"].request_id, "x")
            await late.event()
            async with registered(router.url, "beta") as reserve:
                async with registered(router.url, "alpha", secret="s") as new:
                    assert await old.close_frame() == (1000, "re-registered")
                    again = await reserve.asked()
                    assert again.prompt == "early"
                    await reserve.answer(again.request_id, "fine")
                    assert await early.text() == "fine"
                    assert (await late.rest())[-1]["error"]["code"] == "node_lost"
                    await new.settled()


async def test_two_nodes_of_one_address_with_equal_models_live_side_by_side() -> None:
    """Identity is the node_id: neither address nor models make two nodes the same."""
    async with (
        routing(Policy()) as router,
        registered(router.url, "one", slots=1) as one,
        registered(router.url, "two", slots=1) as two,
        asking(router.url, "x") as first,
        asking(router.url, "y") as second,
    ):
        asked_one, asked_two = await one.asked(), await two.asked()
        assert {asked_one.prompt, asked_two.prompt} == {"x", "y"}
        await one.answer(asked_one.request_id, asked_one.prompt)
        await two.answer(asked_two.request_id, asked_two.prompt)
        assert [await first.text(), await second.text()] == ["x", "y"]


async def test_no_node_id_ever_reaches_a_consumer() -> None:
    """A3: whatever goes wrong, no byte of any answer or status page names a node."""
    async with routing() as router, client(router.url) as http:
        async with registered(router.url, "hidden-a") as a, asking(router.url) as answer:
            asked = await a.asked()
            await a.chunk(asked.request_id, "x")
            event = await answer.event()
            a.cut()
            events = [event, *await answer.rest()]
        async with registered(router.url, "hidden-b"):
            pages = [await http.get(p) for p in ("/api/network", "/metrics", "/api/models")]
    seen = str(events) + "".join(page.text + str(page.headers) for page in pages)
    assert "hidden" not in seen
    assert asked.request_id not in seen
