"""Peers that do everything wrong at once; `python -m tests.defences.attackers URL` lets them loose.

A process of their own, so that what they do does not slow down whoever measures.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
import httpx
from websockets.exceptions import WebSocketException

from tests.defences.running import at, node_at
from tests.router.consumer import body
from tests.router.raw_http import chat_request, tcp
from tests.router.scripted_node import ScriptedNode

MOST_SECONDS = 30
GONE = (OSError, WebSocketException, httpx.HTTPError, TimeoutError, AssertionError)


async def _idle(url: str, number: int) -> None:
    """Connections that say nothing, or half of something."""
    async with AsyncExitStack() as streams:
        for _ in range(40):
            stream = await streams.enter_async_context(tcp(url))
            await stream.send(chat_request()[: number * 40])
        await anyio.sleep_forever()


async def _garbage(url: str, number: int) -> None:
    """Bytes that are no HTTP, and bodies that are too large, without pause."""
    while True:
        for raw in (b"\x16\x03\x01" * 50, b"GET /" + b"x" * 9_000, chat_request("x" * 1_500_000)):
            with suppress(*GONE):
                async with tcp(url) as stream:
                    await stream.send(raw)


async def _asking(url: str, number: int) -> None:
    """Requests of all kinds, many more than are allowed."""
    async with at(url, f"127.0.2.{number}") as http:
        while True:
            with suppress(*GONE):
                await http.post("/api/chat", json=body("x" * 9_000))
                await http.get("/api/network")
                await http.get("/metrics", headers={"accept": "text/plain"})


async def _deaf(url: str, number: int) -> None:
    """A consumer that asks for an endless answer and reads none of it."""
    async with tcp(url, receive_buffer=4096) as stream:
        await stream.send(chat_request())
        await anyio.sleep_forever()


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


async def _huge_node(url: str, number: int) -> None:
    """Frames above every limit, again and again."""
    while True:
        with suppress(*GONE):
            async with _joined(url, number) as node:
                await node.raw('{"type":"' + "x" * 2_000_000 + '"}')
                await node.close_frame()


async def _flooding_node(url: str, number: int) -> None:
    """Frames for requests that do not exist, and bombs."""
    while True:
        with suppress(*GONE):
            async with _joined(url, number) as node:
                for _ in range(2_000):
                    await node.chunk("nobody's", "x" * 400)
                await node.raw("[" * 100_000)
                await node.close_frame()


@asynccontextmanager
async def _joined(url: str, number: int) -> AsyncIterator[ScriptedNode]:
    async with node_at(url, f"127.0.3.{number}") as node:
        await node.register(f"node {number}", slots=10)
        yield node


ATTACKS = (_idle, _garbage, _asking, _deaf, _endless_node, _markup_node, _huge_node, _flooding_node)


async def main(url: str) -> None:
    """Run three of each kind until killed, or for half a minute."""
    with anyio.move_on_after(MOST_SECONDS):
        async with anyio.create_task_group() as tasks:
            for attack in ATTACKS:
                for number in range(1, 4):
                    tasks.start_soon(attack, url, number)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
