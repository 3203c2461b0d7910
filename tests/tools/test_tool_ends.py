"""Every way in which a request can end while a tool runs for it, or after."""

import pytest

from idleclaw_server.policy import Policy
from tests.router.consumer import asking, content, finish
from tests.router.running import OPEN, pass_time, residue, routing
from tests.router.scripted_node import connected
from tests.tools.asking import Scene, call_tools, native_call, register, tool_scene
from tests.tools.searxng import searching
from tests.waiting import wait_until

_PATIENT = Policy(heartbeat_timeout_seconds=5_000)


async def _in_a_tool(scene: Scene) -> None:
    """Let the node call a tool, and wait until the search engine has the question."""
    scene.engine.gate.clear()
    await call_tools(scene.node, scene.asked.request_id, native_call())
    assert (await scene.answer.event())["choices"][0]["delta"]["tool_call"]
    await wait_until(lambda: scene.engine.asked, "the search")


async def test_a_consumer_that_leaves_stops_the_tool_and_frees_the_slot() -> None:
    """A19: and the node, which runs nothing now, is sent nothing."""
    settings = OPEN
    async with searching() as engine:
        settings = OPEN.model_copy(update={"searxng_url": engine.url})
        async with routing(settings=settings) as router, connected(router.url) as node:
            await register(node, "alpha", ["completion", "tools"])
            async with asking(router.url) as answer:
                scene = Scene(router, engine, node, answer, await node.asked())
                await _in_a_tool(scene)
            await wait_until(lambda: residue(router.core) == [], "the end of the request")
            engine.gate.set()
            async with asking(router.url, "next") as answer:
                frame = await node.frame()
                assert frame["type"] == "inference_request"
                assert frame["ollama_params"]["messages"][-1]["content"] == "next"
                await node.answer(frame["request_id"], "fine")
                assert await answer.text() == "fine"


async def test_a_node_that_leaves_while_a_tool_runs() -> None:
    """A19: the consumer is told, and the tool's result goes nowhere."""
    async with tool_scene() as scene:
        await _in_a_tool(scene)
        await scene.node.socket.close()
        end = (await scene.answer.rest())[-1]
        assert end["error"]["code"] == "node_lost"
        assert residue(scene.router.core) == []


async def test_a_tool_is_no_silence_of_the_node() -> None:
    """A12: the deadlines of the node stand still while it waits for the router."""
    async with tool_scene(policy=_PATIENT) as scene:
        await _in_a_tool(scene)
        for seconds in (61, 200, 400):
            pass_time(scene.router, seconds)
        scene.engine.gate.set()
        asked = await scene.node.asked()
        await scene.node.answer(asked.request_id, "ok")
        assert await scene.answer.text() == "ok"


async def test_all_the_time_there_is_includes_that_of_tools() -> None:
    """A22: no chain of tools outlasts the limit of an answer."""
    async with tool_scene(policy=_PATIENT) as scene:
        await _in_a_tool(scene)
        pass_time(scene.router, 901)
        assert finish((await scene.answer.rest())[-1]) == "length"
        assert residue(scene.router.core) == []


async def test_a_drain_ends_a_request_in_a_tool() -> None:
    async with tool_scene() as scene:
        await _in_a_tool(scene)
        await scene.router.drain(0)
        assert (await scene.answer.rest())[-1]["error"]["code"] == "shutting_down"


async def test_the_slot_is_held_while_a_tool_runs() -> None:
    """A21: nobody gets in between, and the round goes on where it was."""
    async with tool_scene() as scene:
        await _in_a_tool(scene)
        async with asking(scene.router.url, "second") as second:
            assert (await second.event())["queue"]["position"] == 1
            scene.engine.gate.set()
            asked = await scene.node.asked()
            assert asked.prompt != "second"
            await scene.node.answer(asked.request_id, "ok")
            assert await scene.answer.text() == "ok"
            asked = await scene.node.asked()
            assert asked.prompt == "second"
            await scene.node.answer(asked.request_id, "yes")
            assert await second.text() == "yes"


async def test_after_a_tool_no_other_node_takes_over() -> None:
    """The same node for each round: another one would make the consumer's tools run again."""
    async with tool_scene() as scene, connected(scene.router.url) as other:
        await register(other, "other", ["completion", "tools"])
        await call_tools(scene.node, scene.asked.request_id, native_call())
        asked = await scene.node.asked()
        await scene.node.error(asked.request_id)
        end = (await scene.answer.rest())[-1]
    assert end["error"]["code"] == "node_error"


async def test_frames_of_an_earlier_round_are_nothing() -> None:
    """A25: a request id is over with its round."""
    async with tool_scene() as scene:
        first = scene.asked.request_id
        await call_tools(scene.node, first, native_call())
        asked = await scene.node.asked()
        await scene.node.chunk(first, "late")
        await call_tools(scene.node, first, native_call())
        await scene.node.error(first)
        await scene.node.answer(asked.request_id, "ok")
        assert await scene.answer.text() == "ok"
    assert len(scene.engine.asked) == 1


async def test_the_limit_of_an_answer_is_that_of_all_rounds() -> None:
    async with tool_scene(policy=Policy(max_content_chars=10)) as scene:
        await scene.node.chunk(scene.asked.request_id, "1234567")
        await call_tools(scene.node, scene.asked.request_id, native_call())
        asked = await scene.node.asked()
        await scene.node.chunk(asked.request_id, "890123")
        *events, end = await scene.answer.rest()
        assert await scene.node.cancelled() == asked.request_id
    assert "".join(map(content, events)) == "1234567890"
    assert finish(end) == "length"


@pytest.mark.parametrize("more", [" <", " <scr"])
async def test_no_tag_is_completed_by_the_next_round(more: str) -> None:
    """A7: text that was held when a round ended cannot become markup with the next one's."""
    async with tool_scene() as scene:
        await scene.node.chunk(scene.asked.request_id, f"a{more}")
        await call_tools(scene.node, scene.asked.request_id, native_call())
        asked = await scene.node.asked()
        await scene.node.answer(asked.request_id, "ipt>alert(1)", " <b>ok</b>")
        text = await scene.answer.text()
    assert text == "a" + more.replace("<", "< ") + "ipt>alert(1) ok"
