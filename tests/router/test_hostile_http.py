"""Peers that do not keep to HTTP, keep a connection busy, or send bombs."""

import gzip
import json
import logging
from contextlib import suppress

import anyio
import pytest

from idleclaw_server.policy import Policy
from tests.router.consumer import asking, body, client
from tests.router.raw_http import chat_request, tcp
from tests.router.running import routing
from tests.router.scripted_node import registered
from tests.waiting import wait_until

_JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03MARKER",
        b"GET MARKER\r\n\r\n",
        b"GET / HTTP/1.1\r\nMARKER\x00: x\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\ncontent-length: MARKER\r\n\r\n",
        b"GET /" + b"MARKER" * 5_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"MARKER: x\r\n" * 500 + b"\r\n",
        b"POST /api/chat HTTP/1.1\r\ntransfer-encoding: chunked\r\nhost: x\r\n\r\nMARKER\r\n",
    ],
)
async def test_bytes_that_are_no_http_get_400_and_stay_out_of_the_log(
    garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A26: nothing that a stranger sends reaches the log, not even as an exception's text."""
    caplog.set_level(logging.DEBUG)
    async with routing() as router:
        async with tcp(router.url) as stream:
            await stream.send(garbage)
            assert b" 400 " in (await stream.until_closed()).split(b"\r\n")[0]
        async with client(router.url) as http:
            assert (await http.get("/health")).status_code == 200
    logged = "".join(caplog.messages) + "".join(r.exc_text or "" for r in caplog.records)
    assert "MARKER" not in logged


async def test_slow_headers_are_cut() -> None:
    """A14: a connection that never finishes its headers is closed."""
    policy = Policy(keepalive_seconds=0.2)
    async with routing(policy) as router, tcp(router.url) as silent, tcp(router.url) as slow:
        await slow.send(b"GET /health HTTP/1.1\r\nhost:")
        assert await slow.until_closed() == b""
        assert await silent.until_closed() == b""


async def test_a_slow_body_is_408_after_its_deadline() -> None:
    """A14: a body has to be there within ten seconds of its headers."""
    async with routing(Policy(body_seconds=0.2)) as router, tcp(router.url) as stream:
        await stream.send(chat_request()[:-5])
        answer = await stream.receive()
        assert b" 408 " in answer.split(b"\r\n")[0]
        assert router.chats_open == 0


async def test_a_compressed_body_is_not_unpacked() -> None:
    """A9: one MB on the wire does not become one GB in memory."""
    bomb = gzip.compress(b" " * 900_000 + json.dumps(body()).encode())
    async with routing() as router, client(router.url) as http:
        response = await http.post(
            "/api/chat", content=bomb, headers=_JSON | {"content-encoding": "gzip"}
        )
    assert response.status_code == 422


async def test_a_body_without_end_is_413() -> None:
    """A9: a chunked body is refused as soon as it is over the limit."""
    async with routing() as router, tcp(router.url) as stream:
        await stream.send(
            b"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        answer = b""
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:

                async def push() -> None:
                    with suppress(ConnectionError):
                        while True:
                            await stream.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

                tasks.start_soon(push)
                answer = await stream.receive()
                tasks.cancel_scope.cancel()
        assert b" 413 " in answer.split(b"\r\n")[0]


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with routing() as router, registered(router.url) as node, tcp(router.url) as stream:
        await stream.send(chat_request("one") + chat_request("two"))
        await node.answer((await node.asked()).request_id, "first")
        await node.answer((await node.asked()).request_id, "second")
        received = b""
        with anyio.fail_after(5):
            while received.count(b"[DONE]") < 2:
                received += await stream.receive()
        assert received.index(b"first") < received.index(b"second")


async def test_a_reader_of_status_pages_that_stops_reading_is_cut_by_the_kernel() -> None:
    """A13: bytes nobody acknowledges, whatever page they are of, do not wait for ever."""
    async with routing(Policy(unacknowledged_seconds=1)) as router:
        names = [f"m{number:03}" for number in range(20)]
        async with registered(router.url, "a", names), tcp(router.url, receive_buffer=2048) as deaf:
            with anyio.fail_after(8), suppress(ConnectionError):
                while True:
                    await deaf.send(b"GET /api/network HTTP/1.1\r\nhost: x\r\n\r\n" * 50)
            await wait_until(lambda: router.connections_open == 1, "only the node's to be open")


async def test_nothing_that_people_write_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A26: neither prompts nor answers nor ids, at any level."""
    caplog.set_level(logging.DEBUG)
    async with routing() as router, registered(router.url, "MARKER-id", ["MARKER"]) as node:
        async with asking(router.url, "MARKER prompt", "MARKER") as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "MARKER answer")
            await node.send(type="MARKER", request_id="MARKER")
            await node.chunk("MARKER", "x")
            await node.error(asked.request_id, "MARKER")
            await answer.rest()
        async with client(router.url) as http:
            await http.post("/api/chat", content=b"MARKER", headers=_JSON)
        await node.raw("MARKER {")
        await node.close_frame()
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("idleclaw", "aiohttp"))]
    assert ours
    assert not [message for message in ours if "MARKER" in message]
