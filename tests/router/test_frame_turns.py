"""Frames that take long leave room for everybody else."""

import asyncio
import time
from itertools import pairwise

import pytest

from idleclaw_protocol.frame_reading import FrameError
from idleclaw_server.frame_turns import LARGE_FRAME_BYTES, FrameTurns
from tests.router.consumer import asking, finish
from tests.router.running import routing
from tests.router.scripted_node import registered


async def test_between_two_frame_turns_others_have_their_turn() -> None:
    """A9: frames of several nodes are not handled in one turn of the event loop."""
    turns: list[str] = []
    frames = FrameTurns()

    def work() -> None:
        turns.append("frame")
        until = time.perf_counter() + 0.003
        while time.perf_counter() < until:
            pass

    async def everybody_else() -> None:
        while turns.count("frame") < 3:
            turns.append("other")
            await asyncio.sleep(0)

    others = asyncio.create_task(everybody_else())
    await asyncio.gather(*(frames.alone(work) for _ in range(3)))
    await others
    assert ("frame", "frame") not in set(pairwise(turns))


async def test_a_frame_that_is_refused_does_not_keep_the_turn() -> None:
    frames = FrameTurns()

    def refuse() -> None:
        raise FrameError(1008, "no")

    with pytest.raises(FrameError):
        await frames.alone(refuse)
    done: list[bool] = []
    await frames.alone(lambda: done.append(True))
    assert done


async def test_large_and_small_chunks_keep_their_order() -> None:
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            large = "x" * (2 * LARGE_FRAME_BYTES)
            for text in ("1", large, "2", large, "3"):
                await node.chunk(asked.request_id, text)
            await node.done(asked.request_id, "4")
            *texts, end = await answer.rest()
    delivered = "".join(event["choices"][0]["delta"].get("content", "") for event in texts)
    assert delivered.replace("x", "") in ("123", "1234")
    assert delivered.count("x") == 4 * LARGE_FRAME_BYTES
    assert finish(end) == "stop"


async def test_a_ping_flood_leaves_room_for_everybody_else() -> None:
    """A14: nobody waits until all of what one socket has sent is answered."""
    async with routing() as router, registered(router.url) as node:
        flood = Frame(Opcode.PONG, b"").serialize(mask=True) * 40_000
        node.socket.transport.write(flood)
        async with httpx.AsyncClient(base_url=router.url) as http:
            assert (await http.get("/health")).status_code == 200
        await node.settled()
