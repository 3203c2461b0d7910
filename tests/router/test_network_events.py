"""`GET /api/network/events` on real sockets: what listeners are told, and what they may cost."""

import asyncio
import json
from contextlib import AsyncExitStack

from idleclaw_protocol.status import Network
from idleclaw_server.policy import Policy
from tests.router.consumer import asking, client
from tests.router.network_listener import PATH, listening
from tests.router.raw_http import tcp
from tests.router.running import BOTH_LOOPS, routing
from tests.router.scripted_node import registered
from tests.waiting import wait_until

QUICK = Policy(network_event_seconds=0.02)
_GET = f"GET {PATH} HTTP/1.1\r\nhost: x\r\n\r\n".encode()


@BOTH_LOOPS
async def test_a_snapshot_comes_first_and_then_what_changes() -> None:
    async with routing(QUICK) as router, registered(router.url, "a", slots=3) as node:
        async with listening(router.url) as listener, client(router.url) as http:
            assert await listener.next() == "snapshot"
            headers = listener.response.headers
            async with registered(router.url, "b", ["x:1b"]):
                await listener.until("nodes", 2)
            await listener.until("nodes", 1)
            async with asking(router.url) as answer:
                await listener.until("running", 1)
                await node.answer((await node.asked()).request_id, "x")
                await answer.rest()
            await listener.until("running", 0)
            now = Network.model_validate((await http.get("/api/network")).json())
    assert set(listener.events[1:]) == {"changes"}
    assert listener.network is not None
    assert listener.network.models == now.models
    assert listener.network.nodes == now.nodes
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"


async def test_changes_come_at_most_as_often_as_the_policy_says() -> None:
    loop = asyncio.get_running_loop()
    async with routing(Policy(network_event_seconds=0.3)) as router, AsyncExitStack() as nodes:
        async with listening(router.url) as listener:
            began = loop.time()
            for number in range(40):
                await nodes.enter_async_context(registered(router.url, f"n{number}"))
                await asyncio.sleep(0.02)
            await listener.until("nodes", 40)
            most = (loop.time() - began) / 0.3 + 1
    assert 1 < len(listener.events) <= most + 1


async def test_who_comes_back_gets_only_what_was_missed() -> None:
    async with routing(QUICK) as router, registered(router.url):
        async with listening(router.url) as first:
            await first.next()
        await wait_until(lambda: not router.listeners_open, "nobody listens")
        async with registered(router.url, "b"):
            async with listening(router.url, first.last_event_id, first.network) as again:
                await again.until("nodes", 2)
    assert again.events == ["changes"]


async def test_an_id_of_another_router_gets_a_snapshot() -> None:
    async with routing(QUICK) as router, registered(router.url):
        for wrong in ("0000-7", "nonsense", "9" * 5000):
            async with listening(router.url, wrong) as listener:
                assert await listener.next() == "snapshot"


async def test_all_listeners_hear_the_same() -> None:
    async with routing(QUICK) as router, registered(router.url):
        async with listening(router.url) as one, listening(router.url) as two:
            async with registered(router.url, "b"):
                await one.until("nodes", 2)
                await two.until("nodes", 2)
            assert one.network == two.network
            assert one.last_event_id == two.last_event_id


async def test_nothing_is_looked_at_while_nobody_listens() -> None:
    async with routing(QUICK) as router, registered(router.url):
        assert not router.network.looking
        async with listening(router.url) as listener:
            await listener.next()
            assert router.network.looking
        await wait_until(lambda: not router.network.looking, "no look is due")


async def test_silence_is_broken_by_comments() -> None:
    policy = Policy(network_event_seconds=0.02, comment_seconds=0.05)
    async with routing(policy) as router, registered(router.url):
        async with listening(router.url) as listener:
            await listener.next()
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(listener.over())
                await wait_until(lambda: listener.comments > 2, "comments")
                waiting.cancel()


async def test_an_address_has_so_many_listeners_and_all_together_have_more() -> None:
    policy = Policy(max_listeners_per_address=1, max_listeners=1)
    async with routing(policy) as router, client(router.url) as http:
        async with listening(router.url) as listener:
            await listener.next()
            refused = await http.get(PATH)
        await wait_until(lambda: not router.listeners_open, "nobody listens")
        async with listening(router.url) as listener:
            await listener.next()
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    async with routing(Policy(max_listeners_per_address=1)) as router, client(router.url) as http:
        async with listening(router.url):
            refused = await http.get(PATH)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert set(refused.json()) == {"detail"}


@BOTH_LOOPS
async def test_a_listener_that_does_not_read_is_cut_and_disturbs_nobody() -> None:
    """A11: what waits for a slow reader is bounded, and so is the time it is waited for."""
    policy = Policy(network_event_seconds=0.005, consumer_stall_seconds=0.3)
    many = [f"model-{number}:{'x' * 40}" for number in range(20)]
    async with routing(policy) as router, tcp(router.url, receive_buffer=1024) as deaf:
        await deaf.send(_GET)
        await wait_until(lambda: router.listeners_open == 1, "it listens")
        async with listening(router.url) as listener:
            while router.listeners_open == 2:
                async with registered(router.url, "a", many):
                    await listener.until("nodes", 1)
                await listener.until("nodes", 0)
            async with registered(router.url, "b"):
                await listener.until("nodes", 1)


async def test_the_end_of_the_router_is_the_end_of_the_stream_in_good_order() -> None:
    async with routing(QUICK) as router:
        async with listening(router.url) as listener:
            await listener.next()
            await router.drain(0)
            await listener.over()
            assert not router.listeners_open


async def test_http_1_0_gets_the_events_without_chunks() -> None:
    async with routing(QUICK) as router, tcp(router.url) as old:
        await old.send(_GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
        received = b""
        while b"\n\n" not in received.partition(b"\r\n\r\n")[2]:
            received += await old.receive()
        async with registered(router.url):
            while b"event: changes" not in received:
                received += await old.receive()
    body = received.partition(b"\r\n\r\n")[2].decode()
    for event in body.strip().split("\n\n"):
        number, kind, data = event.split("\n")
        assert number.startswith("id: ")
        assert kind in ("event: snapshot", "event: changes")
        json.loads(data.removeprefix("data: "))
