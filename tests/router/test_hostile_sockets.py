"""Node sockets below the level of frames: broken WebSocket, silence, floods."""

import base64
import json

import anyio
import anyio.lowlevel
import pytest

from idleclaw_server.policy import Policy
from tests.router.consumer import asking, client, content
from tests.router.raw_http import RawPeer, tcp
from tests.router.running import routing
from tests.router.scripted_node import ScriptedNode, registered
from tests.waiting import wait_until

_MASK = b"\x00\x00\x00\x00"


async def _handshake(peer: RawPeer) -> None:
    key = base64.b64encode(bytes(16)).decode()
    await peer.send(
        "GET /ws/node HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n".encode()
    )
    assert b"101" in await peer.receive()


def _frame(first: int, payload: bytes) -> bytes:
    """Return a masked frame of at most 125 bytes with `first` as its first byte."""
    return bytes([first, 0x80 | len(payload)]) + _MASK + payload


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(_frame(0xC1, b"{}"), id="compressed though not agreed"),
        pytest.param(_frame(0xB1, b"{}"), id="reserved bits"),
        pytest.param(_frame(0x83, b"{}"), id="reserved opcode"),
        pytest.param(_frame(0x80, b"{}"), id="continuation of nothing"),
        pytest.param(_frame(0x09, b"x"), id="fragmented ping"),
        pytest.param(bytes([0x89, 0x80 | 126, 0, 200]) + _MASK + b"x" * 200, id="long ping"),
        pytest.param(_frame(0x88, b"\x03"), id="close code of one byte"),
        pytest.param(_frame(0x88, b"\x00\x01"), id="close code that does not exist"),
        pytest.param(_frame(0x88, b"\x03\xe8\xff\xff"), id="close reason that is no UTF-8"),
        pytest.param(_frame(0x81, b"\xff\xfe"), id="text that is no UTF-8"),
        pytest.param(b"\x81\xff" + b"\x7f" + b"\xff" * 7 + _MASK, id="frame of 2^63 bytes"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP again"),
    ],
)
@pytest.mark.parametrize("after_register", [False, True], ids=["first", "registered"])
async def test_a_broken_websocket_is_closed(broken: bytes, after_register: bool) -> None:
    """A9, A10: no byte below the frames does more than end its own connection."""
    async with (
        routing(Policy(close_seconds=0.2)) as router,
        registered(router.url, "good") as good,
        tcp(router.url) as peer,
    ):
        await _handshake(peer)
        if after_register:
            models = [{"name": "m", "size": 1}]
            register = {"type": "register", "node_id": "b", "models": models}
            await peer.send(_frame(0x81, json.dumps(register).encode()))
            await wait_until(lambda: len(router.core.registry) == 2, "the registration")
        await peer.send(broken)
        await peer.until_closed()
        await wait_until(lambda: router.nodes_open == 1, "its handler to end")
        async with asking(router.url) as answer:
            await good.answer((await good.asked()).request_id, "fine")
            assert await answer.text() == "fine"


async def test_a_half_open_node_is_found_by_pings() -> None:
    """A13: a node whose machine went to sleep answers no ping; its requests go elsewhere."""
    policy = Policy(ping_seconds=0.2, close_seconds=0.2)
    async with routing(policy) as router, registered(router.url, "asleep") as asleep:
        async with asking(router.url) as answer:
            await asleep.asked()
            async with registered(router.url, "awake") as awake:
                asleep.socket.transport.pause_reading()
                asked = await awake.asked()
                await awake.answer(asked.request_id, "fine")
                assert await answer.text() == "fine"
                await wait_until(lambda: router.nodes_open == 1, "the sleeper's socket to end")


async def test_a_half_open_connection_is_replaced_by_its_own_node() -> None:
    """A3, A13: after a suspend a node is back at once, however dead its old connection is."""
    async with routing(Policy(close_seconds=0.2)) as router:
        async with registered(router.url, "alpha", secret="s") as old:
            old.socket.transport.pause_reading()
            async with registered(router.url, "alpha", secret="s") as new:
                async with asking(router.url) as answer:
                    await new.answer((await new.asked()).request_id, "fine")
                    assert await answer.text() == "fine"
                await wait_until(lambda: router.nodes_open == 1, "the old socket to end")


@pytest.mark.parametrize(
    "frame", ['{"type":"x"}', '{"type":"heartbeat","active_requests":0}', "ping"]
)
async def test_a_flood_of_one_node_does_not_stop_the_others(frame: str) -> None:
    """A11: a reader that always has something ready lets the others have their turn."""
    async with (
        routing() as router,
        registered(router.url, "flood", ["flood:1b"]) as flooding,
        registered(router.url, "calm") as calm,
        client(router.url) as http,
        asking(router.url) as answer,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(_flood, flooding, frame)
        asked = await calm.asked()
        for number in range(30):
            await calm.chunk(asked.request_id, f"{number}")
            assert content(await answer.event()) == f"{number}"
            assert (await http.get("/health")).status_code == 200
        await calm.done(asked.request_id)
        await answer.rest()
        tasks.cancel_scope.cancel()


async def _flood(node: ScriptedNode, frame: str) -> None:
    while True:
        for _ in range(200):
            if frame == "ping":
                await node.socket.ping()
            else:
                await node.raw(frame)
        await anyio.lowlevel.checkpoint()
