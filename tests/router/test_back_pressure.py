"""Peers that do not read: consumers and nodes. They cost themselves, and nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from aiohttp import web

from idleclaw_protocol.chat import Timings
from idleclaw_server import chat_api, routes
from idleclaw_server.consumer_pipe import ConsumerPipe
from idleclaw_server.inference import Ending, InferenceRequest
from idleclaw_server.node import Node
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Relay
from idleclaw_server.service import Router
from idleclaw_server.sse import SseAnswer
from tests.router.consumer import asking, client, content
from tests.router.raw_http import RawPeer, chat_request, tcp
from tests.router.recording_sink import RecordingSink
from tests.router.running import BOTH_LOOPS, pass_time, residue, routing
from tests.router.scripted_node import MODEL, ScriptedNode, registered
from tests.waiting import wait_until

pytestmark = BOTH_LOOPS

_ENDLESS = 1 << 40
_ROOMY = Policy(
    heartbeat_timeout_seconds=500, max_stream_bytes=50_000_000, max_content_chars=_ENDLESS
)
_KIB = "x" * 1024


async def test_a_consumer_that_stops_reading_is_cut_and_its_neighbour_keeps_flowing() -> None:
    """A11: over its cap the slow one is cancelled and aborted; the fast one misses nothing."""
    policy = Policy(max_stream_bytes=65_536, max_content_chars=_ENDLESS)
    async with routing(policy) as router, registered(router.url) as node:
        async with tcp(router.url, receive_buffer=4096) as slow:
            await slow.send(chat_request("slow"))
            stalled = await node.asked()
            async with asking(router.url, "fast") as fast:
                asked = await node.asked()
                received = ""
                for number in range(100_000):
                    await node.chunk(stalled.request_id, _KIB)
                    if number % 50 == 0:
                        await node.chunk(asked.request_id, "y")
                        received += content(await fast.event())
                    if router.core.counters.consumers_cut:
                        break
                await node.heartbeat()
                assert await node.cancelled() == stalled.request_id
                await node.answer(asked.request_id, "end")
                assert await fast.text() == "end"
                assert set(received) == {"y"}
            assert b"[DONE]" not in await slow.until_closed()
        assert router.core.counters.consumers_cut == 1


async def test_a_burst_reaches_a_consumer_that_reads() -> None:
    """A11: what one read of a node's socket brings never counts as a slow consumer."""
    async with (
        routing(Policy(max_content_chars=_ENDLESS)) as router,
        registered(router.url) as node,
        asking(router.url) as answer,
    ):
        asked = await node.asked()
        frame = json.dumps(
            {
                "type": "inference_chunk",
                "request_id": asked.request_id,
                "chunk": {"message": {"content": _KIB}, "done": False},
            }
        )
        burst = [frame] * 3_000
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_send_at_once, node, burst)
            received = 0
            while received < 3_000 * 1024:
                received += len(content(await answer.event()))
        await node.done(asked.request_id)
        await answer.rest()
        assert router.core.counters.consumers_cut == 0


async def _send_at_once(node: ScriptedNode, frames: list[str]) -> None:
    for frame in frames:
        await node.raw(frame)


async def test_one_chunk_larger_than_all_a_consumer_may_leave_unread() -> None:
    """A9: an oversize chunk is its node's fault, not that of the consumer who reads."""
    policy = Policy(max_content_chars=_ENDLESS)
    async with (
        routing(policy) as router,
        registered(router.url) as node,
        asking(router.url) as answer,
    ):
        asked = await node.asked()
        await node.chunk(asked.request_id, "x" * 600_000)
        assert (await answer.rest())[-1]["error"]["code"] == "node_error"
        assert router.core.counters.consumers_cut == 0
        async with asking(router.url) as answer:
            await node.answer((await node.asked()).request_id, "x" * 100_000)
            assert len(await answer.text()) == 100_000


@asynccontextmanager
async def _blocked(router: Router, node: ScriptedNode) -> AsyncIterator[tuple[RawPeer, Relay, str]]:
    """A consumer that does not read, with every buffer on the way to it full."""
    async with tcp(router.url, receive_buffer=4096) as slow:
        await slow.send(chat_request())
        asked = await node.asked()
        (relay,) = router.core.life.active
        while relay.sink.stalled_seconds(anyio.current_time()) == 0:
            for _ in range(200):
                await node.chunk(asked.request_id, _KIB)
            await node.settled()
        yield slow, relay, asked.request_id


async def test_a_consumer_that_takes_nothing_for_too_long_is_cut() -> None:
    """A11: below the cap it is time that ends it."""
    async with routing(_ROOMY) as router, registered(router.url) as node:
        async with _blocked(router, node) as (slow, _, request_id):
            pass_time(router, 10)
            assert len(router.core.life.active) == 1
            pass_time(router, 31)
            assert await node.cancelled() == request_id
            await slow.until_closed()
        assert router.core.counters.consumers_cut == 1


async def test_a_consumer_that_does_not_read_its_last_bytes_is_cut_too() -> None:
    """A11: an answer that its node has ended does not wait for its consumer for ever."""
    async with routing(_ROOMY) as router, registered(router.url) as node:
        async with _blocked(router, node) as (slow, relay, request_id):
            await node.done(request_id)
            await node.settled()
            assert residue(router.core) == [], "the node is free already"
            assert relay in router.core.life.unread
            pass_time(router, 31)
            await wait_until(lambda: router.chats_open == 0, "the handler to end")
            await slow.until_closed()
        assert not router.core.life.unread
        assert router.core.counters.consumers_cut == 1


async def test_when_the_handler_ends_the_kernel_has_every_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left in a buffer of the process when it exits would be lost."""
    left = []

    async def chat_and_look(request: web.Request, *more: Any) -> web.StreamResponse:
        response = await chat_api.chat(request, *more)
        assert request.transport is not None
        left.append(request.transport.get_write_buffer_size())
        return response

    monkeypatch.setattr(routes, "chat", chat_and_look)
    async with routing(_ROOMY) as router, registered(router.url) as node:
        async with _blocked(router, node) as (slow, _, request_id):
            await node.done(request_id)
            await node.settled()
            end = b""
            while b"[DONE]" not in end and (data := await slow.receive()):
                end = (end + data)[-20:]
        await wait_until(lambda: left, "the handler to end")
    assert left == [0]


class FullTransport(asyncio.Transport):
    """A connection whose buffer shrinks only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting


async def test_a_consumer_counts_as_stalled_until_the_kernel_has_its_last_byte() -> None:
    """A11: the wait for the last bytes is watched like any other, and ends when they are gone."""
    loop = asyncio.get_running_loop()
    pipe, transport = ConsumerPipe(loop), FullTransport()
    answer = SseAnswer("chatcmpl-1", MODEL, pipe)
    pipe.start(transport, chunked=True)
    assert answer.stalled_seconds(loop.time() + 40) == 0
    answer.content("x")
    answer.end(Ending(reason="stop", timings=Timings()))
    await wait_until(lambda: answer.stalled_seconds(loop.time() + 40) > 30, "the stall to be seen")
    transport.waiting -= 1
    await wait_until(lambda: answer.stalled_seconds(loop.time()) < 0.5, "the progress to be seen")
    transport.waiting = 0
    await pipe.flushed()
    assert answer.stalled_seconds(loop.time() + 40) == 0


async def _deafen(node: ScriptedNode, listed: Node, frames: int, size: int = 1_000_000) -> None:
    """Let a node stop reading and send it so much that the router's buffers fill."""
    node.socket.transport.pause_reading()
    for _ in range(frames):
        listed.link.send(b'{"type":"x","y":"' + b"z" * size + b'"}')
        await anyio.lowlevel.checkpoint()


async def test_a_node_that_does_not_read_is_cut_at_once_and_leaves_nothing() -> None:
    """A12: frames to a node are bounded; the connection of one that takes none is cut."""
    policy = Policy(close_seconds=60)
    async with routing(policy) as router, registered(router.url, slots=10) as deaf:
        (listed,) = router.core.registry
        await _deafen(deaf, listed, 60)
        await wait_until(lambda: len(router.core.registry) == 0, "the deaf node to be cut")
        await wait_until(lambda: router.nodes_open == 0, "its handler to end")


async def test_a_deaf_node_that_is_evicted_is_cut_in_the_end() -> None:
    """A13: a close that cannot be delivered does not leave a connection behind."""
    async with routing(Policy(close_seconds=0.2)) as router, registered(router.url) as deaf:
        (listed,) = router.core.registry
        await _deafen(deaf, listed, 20)
        pass_time(router, 50)
        assert len(router.core.registry) == 0
        assert router.nodes_open == 1
        await wait_until(lambda: router.nodes_open == 0, "its handler to end")


@pytest.mark.parametrize(("frames", "size"), [(20, 1_000_000), (120, 50_000)])
async def test_a_deaf_node_that_answers_no_ping_leaves_no_connection(
    frames: int, size: int
) -> None:
    """A13: neither a frame on its way nor what is left in a buffer keeps a dead one open."""
    policy = Policy(ping_seconds=0.3, close_seconds=0.3)
    async with routing(policy) as router, registered(router.url) as deaf:
        (listed,) = router.core.registry
        await _deafen(deaf, listed, frames, size)
        await wait_until(lambda: router.nodes_open == 0, "its handler to end")
        await wait_until(lambda: router.connections_open == 0, "its connection to end")


async def test_ten_of_the_largest_requests_at_once_are_no_reason_to_close_a_node() -> None:
    """A consumer cannot cut a node off by asking much: 10 frames of 600 kB are legal."""
    prompt = "\x01" * 10_000
    async with routing() as router, registered(router.url, slots=10) as node:
        messages = tuple({"role": "user", "content": prompt} for _ in range(10))
        sinks = [RecordingSink() for _ in range(10)]
        for sink in sinks:
            request = InferenceRequest(model="tiny:1b", messages=messages, client="c")
            router.core.submit(request, sink, anyio.current_time())
        for _ in sinks:
            asked = await node.asked()
            assert len(json.dumps(asked.params, ensure_ascii=False)) > 600_000
            await node.answer(asked.request_id, "x")
        await wait_until(lambda: all(sink.ending for sink in sinks), "all answers")


async def test_the_longest_legal_chat_in_emoji_fits_a_frame_of_the_originals_nodes() -> None:
    """100,000 characters of four bytes stay below the 1 MiB at which old nodes hang up."""
    messages = [{"role": "user", "content": "😀" * 10_000}] * 10
    async with routing() as router, registered(router.url) as node, client(router.url) as http:
        body = {"model": "tiny:1b", "messages": messages}
        async with http.stream("POST", "/api/chat", json=body) as response:
            asked = await node.asked()
            assert asked.params["messages"] == messages
            await node.answer(asked.request_id, "x")
            assert response.status_code == 200
            await response.aread()
