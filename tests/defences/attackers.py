"""Peers that do everything wrong at once; `python -m tests.defences.attackers URL` lets them loose.

A process of their own, so that what they do does not slow down whoever measures. At the end it
says how many frames of nodes and requests of consumers it has sent, and how many bytes.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
import httpx
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode

from tests.defences.running import at, node_at
from tests.router.consumer import body
from tests.router.raw_http import RawPeer, chat_request, posted, tcp
from tests.router.scripted_node import ScriptedNode

MOST_SECONDS = 30
PAUSE_SECONDS = 0.02
LOWEST_PRIORITY = 19
GONE = (OSError, WebSocketException, httpx.HTTPError, TimeoutError, AssertionError)
BOMBS = (
    b'{"model":"a","messages":[' + b"{}," * 340_000 + b"{}]}",
    b'{"a":[' + (b"[" * 190 + b"]" * 190 + b",") * 2_700 + b"0]}",
    b"{" + b",".join(b'"%d":0' % number for number in range(100_000)) + b"}",
)
REGISTRATION_BOMB = '{"type":"register","node_id":"a","models":[' + "{}," * 340_000 + "{}]}"
sent: Counter[str] = Counter()


class _Hostile(ScriptedNode):
    async def raw(self, data: str | bytes) -> None:
        await super().raw(data)
        _count("frames", data)


def _count(kind: str, data: str | bytes) -> None:
    sent[kind] += 1
    sent["bytes"] += len(data)


async def _send(stream: RawPeer, data: bytes) -> None:
    await stream.send(data)
    _count("requests", data)


async def _idle(url: str, number: int) -> None:
    """Connections that say nothing, or half of something."""
    async with AsyncExitStack() as streams:
        for _ in range(40):
            stream = await streams.enter_async_context(tcp(url))
            await _send(stream, chat_request()[: number * 40])
        await anyio.sleep_forever()


async def _garbage(url: str, number: int) -> None:
    """Bytes that are no HTTP, and bodies that are too large, without pause."""
    while True:
        for raw in (b"\x16\x03\x01" * 50, b"GET /" + b"x" * 9_000, chat_request("x" * 1_500_000)):
            with suppress(*GONE):
                async with tcp(url) as stream:
                    await _send(stream, raw)


async def _asking(url: str, number: int) -> None:
    """Requests of all kinds, many more than are allowed."""
    async with at(url, f"127.0.2.{number}") as http:
        while True:
            with suppress(*GONE):
                sent["requests"] += 3
                await http.post("/api/chat", json=body("x" * 9_000))
                await http.get("/api/network")
                await http.get("/metrics", headers={"accept": "text/plain"})


async def _deaf(url: str, number: int) -> None:
    """A consumer that asks for an endless answer and reads none of it."""
    async with tcp(url, receive_buffer=4096) as stream:
        await _send(stream, chat_request())
        await anyio.sleep_forever()


async def _accomplice(url: str, number: int) -> None:
    """A consumer that asks one of the hostile nodes, so that it has something to answer."""
    request = posted(json.dumps(body(model=_model(number))).encode(), "1.0")
    while True:
        with suppress(*GONE):
            async with tcp(url, f"127.0.6.{number}") as stream:
                await _send(stream, request)
                await stream.until_closed()
        await anyio.sleep(PAUSE_SECONDS)


async def _bombing(url: str, number: int) -> None:
    """Bodies of a megabyte that take seconds to understand, or to refuse item by item."""
    while True:
        for bomb in BOMBS:
            with suppress(*GONE):
                async with tcp(url, f"127.0.5.{number}") as stream:
                    await _send(stream, posted(bomb))
                    await stream.receive()


async def _endless_node(url: str, number: int) -> None:
    """A node that never stops talking, and comes back when it is closed."""
    while True:
        with suppress(*GONE):
            async with _joined(url, number) as node:
                while True:
                    request_id = (await node.asked()).request_id
                    for _ in range(100):
                        thinking = "\x1b]0;x" * 500
                        await node.chunk(request_id, "x" * 8_000, message={"thinking": thinking})


async def _markup_node(url: str, number: int) -> None:
    """A node whose answers are what costs the router most to clean, in the largest frames."""
    while True:
        with suppress(*GONE):
            async with _joined(url, 10 + number) as node:
                while True:
                    request_id = (await node.asked()).request_id
                    for text in ("<!--" * 30_000, "\x1b[31mx" * 20_000, "```\n<b>\n" * 14_000):
                        await node.chunk(request_id, text)
                    half = "<!--" * 14_000
                    await node.chunk(request_id, half, message={"thinking": half})


async def _crowding_node(url: str, number: int) -> None:
    """Many small frames that cost the most for their size; it leaves in the middle of a tag."""
    while True:
        with suppress(*GONE):
            async with _joined(url, 20 + number) as node:
                asked = [(await node.asked()).request_id for _ in range(3)]
                for _ in range(100):
                    for request_id in asked:
                        await node.chunk(request_id, "<!--" * 200)


async def _pinging_node(url: str, number: int) -> None:
    """A node that sends nothing but pings, and pongs that nobody asked for."""
    pings = Frame(Opcode.PING, b"").serialize(mask=True) * 200
    pongs = Frame(Opcode.PONG, b"").serialize(mask=True) * 20_000
    while True:
        with suppress(*GONE):
            async with _joined(url, 30 + number) as node:
                while True:
                    await node.settled()
                    node.socket.transport.write(pings + pongs)
                    sent["frames"] += 20_200
                    sent["bytes"] += len(pings + pongs)


async def _bombing_node(url: str, number: int) -> None:
    """Registrations and frames of a megabyte that take as long to refuse."""
    while True:
        with suppress(*GONE):
            async with node_at(url, f"127.0.3.{40 + number}") as node:
                await _Hostile(node.socket).raw(REGISTRATION_BOMB)
                await node.close_frame()
        for bomb in BOMBS:
            with suppress(*GONE):
                async with _joined(url, 40 + number) as node:
                    await node.raw(bomb.decode())
                    await node.close_frame()


async def _huge_node(url: str, number: int) -> None:
    """Frames above every limit, again and again."""
    while True:
        with suppress(*GONE):
            async with _joined(url, 50 + number) as node:
                await node.raw('{"type":"' + "x" * 2_000_000 + '"}')
                await node.close_frame()


async def _flooding_node(url: str, number: int) -> None:
    """Frames for requests that do not exist, and bombs."""
    while True:
        with suppress(*GONE):
            async with _joined(url, 60 + number) as node:
                for _ in range(2_000):
                    await node.chunk("nobody's", "x" * 400)
                await node.raw("[" * 100_000)
                await node.close_frame()


@asynccontextmanager
async def _joined(url: str, number: int) -> AsyncIterator[ScriptedNode]:
    async with node_at(url, f"127.0.3.{number}") as node:
        hostile = _Hostile(node.socket)
        await hostile.register(f"node {number}", [_model(number)], slots=10)
        yield hostile


def _model(number: int) -> str:
    return f"hostile-{number}:1b"


ATTACKS = (
    *(_idle, _garbage, _asking, _deaf, _bombing),
    *(_endless_node, _markup_node, _crowding_node, _huge_node, _flooding_node),
    *(_pinging_node, _bombing_node),
)


ANSWERING = (0, 10, 20)
"""Where the numbers begin of the nodes that answer what they are asked."""
CHATS_PER_ADDRESS = 3


async def main(url: str, seconds: float) -> None:
    """Run three of each kind until killed, or for so long."""
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for number in range(1, 4):
                for attack in ATTACKS:
                    tasks.start_soon(attack, url, number)
                for node in ANSWERING:
                    for _ in range(CHATS_PER_ADDRESS):
                        tasks.start_soon(_accomplice, url, node + number)


if __name__ == "__main__":
    # Attackers compute on machines of their own. Here they share the router's, so they get what it
    # leaves over: enough for as much as it takes, but making that does not hold it up.
    os.nice(LOWEST_PRIORITY)
    anyio.run(main, sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else MOST_SECONDS)
    sys.stdout.write(" ".join(str(sent[kind]) for kind in ("frames", "requests", "bytes")))
