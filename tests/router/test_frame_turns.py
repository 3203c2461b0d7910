"""Frames that take long leave room for everybody else."""

import asyncio
import gc
import time
from itertools import pairwise

import pytest
from websockets.frames import Frame, Opcode

from idleclaw_protocol.frame_reading import FrameError
from idleclaw_server.frame_turns import LARGE_FRAME_BYTES, FrameTurns, takes_long
from idleclaw_server.socket_link import NodeSocket
from tests.router.consumer import asking, finish
from tests.router.running import BOTH_LOOPS, routing
from tests.router.scripted_node import connected, registered
from tests.waiting import wait_until

FLOOD = 40_000


async def test_between_two_large_frames_others_have_their_turn() -> None:
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


@BOTH_LOOPS
async def test_behind_a_frame_there_is_rest_for_as_long_as_it_took() -> None:
    """A9: measured by a clock that goes on during a turn, which uvloop's own does not."""
    times: list[float] = []
    frames = FrameTurns()

    def work() -> None:
        times.append(time.perf_counter())
        time.sleep(0.018)
        times.append(time.perf_counter())

    await asyncio.gather(frames.alone(work), frames.alone(work))
    assert times[2] - times[1] > 0.015


@pytest.mark.parametrize("bracket", [b"<", rb"\u003c", rb"\u003C"])
def test_small_frames_with_many_brackets_wait_for_a_turn(bracket: bytes) -> None:
    assert takes_long(bracket * 17)
    assert not takes_long(bracket * 16 + b"x" * 900)


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


async def test_a_node_that_pings_without_end_leaves_room_for_everybody_else() -> None:
    """A14: nobody waits until all that one socket has sent is answered."""
    async with routing() as router, registered(router.url) as node:
        rounds = 0
        node.socket.transport.write(Frame(Opcode.PONG, b"").serialize(mask=True) * FLOOD)
        settled = asyncio.create_task(node.settled())
        while not settled.done():
            await asyncio.sleep(0)
            rounds += 1
        await settled
    assert rounds > FLOOD / 1_000


async def test_a_closed_node_that_goes_on_sending_leaves_nothing_in_memory() -> None:
    """A14: a socket's next ping, twenty seconds away, would keep all that belongs to it."""

    def sockets() -> int:
        gc.collect()
        return sum(type(thing) is NodeSocket for thing in gc.get_objects())

    before = sockets()
    async with routing() as router:
        async with connected(router.url) as node:
            await node.raw("no registration")
            for _ in range(3):
                node.socket.transport.write(Frame(Opcode.PONG, b"x").serialize(mask=True))
                await asyncio.sleep(0)
            await node.close_frame()
        await wait_until(lambda: router.nodes_open == 0, "the node to be gone")
        await wait_until(lambda: sockets() <= before, "nothing to be left of its socket")
