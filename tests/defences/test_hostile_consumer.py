"""Consumers that ask too much, on real sockets."""

import time
from contextlib import AsyncExitStack

import anyio
import httpx
import pytest
from websockets.exceptions import InvalidStatus

from idleclaw_server.service import Router
from tests.defences.running import at, defended, node_at
from tests.router.consumer import Answer, body
from tests.router.scripted_node import registered
from tests.waiting import wait_until


async def _statuses(http: httpx.AsyncClient, path: str, times: int) -> list[int]:
    return [(await http.get(path)).status_code for _ in range(times)]


async def test_the_twenty_first_chat_of_a_minute_is_429() -> None:
    """A24: an address that asks without pause waits three seconds for each further chat."""
    async with defended() as router, at(router.url) as http:
        begun, served = time.monotonic(), 0
        while (answer := await http.post("/api/chat", json=body())).status_code == 503:
            served += 1
        assert 20 <= served <= 20 + (time.monotonic() - begun) / 3 + 1
        assert answer.status_code == 429
        assert answer.json() == {"detail": "Too many requests"}
        assert answer.headers["retry-after"] in ("1", "2", "3")
        assert (await http.get("/health")).status_code == 200, "another bucket"
        async with at(router.url, "127.0.0.2") as other:
            assert (await other.post("/api/chat", json=body())).status_code == 503


async def test_status_pages_share_a_bucket_that_is_not_the_chats() -> None:
    """A24: whoever looks at the status all the time can still chat, and the other way round."""
    async with defended(others_per_minute=4) as router, at(router.url) as http:
        paths = ("/health", "/nothing", "/metrics", "/api/models", "/api/network")
        statuses = [(await http.get(path)).status_code for path in paths]
        assert statuses == [200, 404, 200, 200, 429]
        assert (await http.post("/api/chat", json=body())).status_code == 503


async def test_any_method_and_any_outcome_costs() -> None:
    """A24: refused requests are not free tries."""
    async with defended(chats_per_minute=4) as router, at(router.url) as http:
        assert (await http.get("/api/chat")).status_code == 405
        assert (await http.post("/api/chat", content=b"x")).status_code == 422
        assert (await http.get("/api/chat/x")).status_code == 404
        assert (await http.put("/api/%63hat")).status_code == 405
        assert (await http.post("/api/chat", json=body())).status_code == 429


async def test_the_sixth_node_connection_of_a_minute_is_refused_at_the_handshake() -> None:
    """A18: a node that reconnects in a loop is stopped before it costs a WebSocket."""
    async with defended() as router:
        for _ in range(5):
            async with node_at(router.url) as node:
                assert (await node.register("a"))["type"] == "registered"
            await wait_until(lambda: len(router.core.registry) == 0, "the node to be gone")
        with pytest.raises(InvalidStatus) as refused:
            async with node_at(router.url):
                pass
        response = refused.value.response
        assert response.status_code == 429
        assert response.headers["retry-after"] in map(str, range(1, 13))
        assert response.body == b'{"detail":"Too many requests"}'
        async with node_at(router.url, "127.0.0.2") as other:
            assert (await other.register("b"))["type"] == "registered"


async def test_three_chats_at_a_time() -> None:
    """A24: one address cannot take every slot; the fourth waits for one of its own to end."""
    async with defended() as router, registered(router.url, slots=10) as node:
        async with at(router.url) as http, AsyncExitStack() as running:
            for _ in range(3):
                stream = http.stream("POST", "/api/chat", json=body())
                answer = Answer(await running.enter_async_context(stream))
            refused = await http.post("/api/chat", json=body())
            assert refused.status_code == 429
            assert refused.json() == {"detail": "Too many concurrent requests"}
            assert refused.headers["retry-after"] == "5"
            asked = [await node.asked() for _ in range(3)]
            await node.answer(asked[2].request_id, "x")
            await answer.rest()
            async with http.stream("POST", "/api/chat", json=body()) as fourth:
                assert fourth.status_code == 200
                await node.answer((await node.asked()).request_id, "y")
                assert await Answer(fourth).text() == "y"


async def test_a_chat_that_is_cut_off_gives_its_place_back() -> None:
    """A19: a consumer that leaves in the middle is not counted for ever."""
    async with defended(chats_per_address=1) as router, registered(router.url) as node:
        for _ in range(5):
            async with at(router.url) as http:
                async with http.stream("POST", "/api/chat", json=body()) as response:
                    assert response.status_code == 200
                    await node.asked()
            await wait_until(lambda: router.chats_open == 0, "the chat to be gone")


async def _exhausted(router: Router, *headers: tuple[str, str]) -> bool:
    async with at(router.url) as http:
        statuses = []
        for number in range(6):
            lines = [(name, value.format(number)) for name, value in headers]
            statuses.append((await http.get("/health", headers=lines)).status_code)
    return 429 in statuses


@pytest.mark.parametrize(
    "headers",
    [
        [("x-forwarded-for", "203.0.113.{}")],
        [("x-forwarded-for", "203.0.113.{}, 127.0.0.1")],
        [("x-forwarded-for", "203.0.113.{}")] * 20,
        [("forwarded", "for=203.0.113.{}"), ("x-real-ip", "203.0.113.{}")],
    ],
)
async def test_invented_addresses_get_nothing(headers: list[tuple[str, str]]) -> None:
    """A15: without a configured proxy no header changes who asks."""
    async with defended(others_per_minute=3) as router:
        assert await _exhausted(router, *headers)


async def test_a_configured_proxy_is_believed_about_the_last_hop_alone() -> None:
    """A15: behind the operator's own proxy everybody counts for themselves."""
    async with defended(others_per_minute=3, trusted_proxies="127.0.0.1") as router:
        assert not await _exhausted(router, ("x-forwarded-for", "203.0.113.{}"))
        assert await _exhausted(router, ("x-forwarded-for", "203.0.113.{}, 198.51.100.1"))
        assert not await _exhausted(router, ("x-forwarded-for", "192.0.2.7, 198.51.100.2{}"))


async def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    """A16: taking another address of one's /64 for each request helps nobody."""
    async with defended(others_per_minute=3, trusted_proxies="127.0.0.1") as router:
        assert await _exhausted(router, ("x-forwarded-for", "2001:db8:0:7::{}"))
        assert not await _exhausted(router, ("x-forwarded-for", "2001:db8:0:1{}::1"))


async def test_limits_can_be_switched_off() -> None:
    """A router for one machine alone knows no limits by address."""
    async with defended(address_limits=False) as router, at(router.url) as http:
        assert set(await _statuses(http, "/health", 70)) == {200}
        async with anyio.create_task_group() as tasks:
            for _ in range(25):
                tasks.start_soon(_asked_in_vain, http)
        async with AsyncExitStack() as nodes:
            for number in range(7):
                node = await nodes.enter_async_context(node_at(router.url))
                assert (await node.register(f"n{number}"))["type"] == "registered"


async def _asked_in_vain(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/chat", json=body())).status_code == 503


async def test_a_client_in_the_queue_has_the_limiters_key() -> None:
    """A16: the queue takes turns between the same clients that the limits count."""
    async with defended(trusted_proxies="127.0.0.1") as router:
        async with registered(router.url, slots=1) as node, AsyncExitStack() as open_streams:
            http = await open_streams.enter_async_context(at(router.url))
            for hop in ("203.0.113.1", "2001:db8::1", "2001:db8::2"):
                headers = {"x-forwarded-for": hop}
                stream = http.stream("POST", "/api/chat", json=body(), headers=headers)
                await open_streams.enter_async_context(stream)
            keys = [relay.request.client for relay in router.core.life.active]
            await node.asked()
        assert keys == ["203.0.113.1", "2001:db8::/64", "2001:db8::/64"]
