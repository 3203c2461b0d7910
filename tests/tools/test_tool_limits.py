"""What models may do with tools: how often, which of them, and for how long."""

import pytest

from idleclaw_server.policy import Policy
from tests.router.consumer import asking, finish
from tests.router.running import OPEN, routing
from tests.router.scripted_node import connected
from tests.tools.asking import (
    SEARCHED,
    call_tools,
    native_call,
    register,
    texts,
    tool_events,
    tool_scene,
)


async def test_a_node_that_always_calls_tools_is_stopped() -> None:
    """A22: five rounds, then the tools are gone and no call is obeyed any more."""
    async with tool_scene() as scene:
        asked = scene.asked
        for _ in range(5):
            assert "tools" in asked.params
            await call_tools(scene.node, asked.request_id, native_call())
            asked = await scene.node.asked()
        assert "tools" not in asked.params
        await scene.node.chunk(asked.request_id, "x")
        await call_tools(scene.node, asked.request_id, native_call())
        events = await scene.answer.rest()
    assert finish(events[-1]) == "stop"
    assert texts(events) == "x"
    assert len(scene.engine.asked) == 5
    assert tool_events(events) == SEARCHED * 5


async def test_a_request_has_eight_calls_however_they_come() -> None:
    """A22: more calls than that are as if they had not been made."""
    async with tool_scene() as scene:
        await call_tools(scene.node, scene.asked.request_id, *[native_call()] * 6)
        asked = await scene.node.asked()
        assert "tools" in asked.params
        await call_tools(scene.node, asked.request_id, *[native_call()] * 6)
        asked = await scene.node.asked()
        assert "tools" not in asked.params
        assert len(asked.params["messages"]) == 1 + (1 + 6) + (1 + 2)
        await scene.node.answer(asked.request_id, "done")
        await scene.answer.rest()
    assert len(scene.engine.asked) == 8


async def test_tags_are_not_obeyed_after_the_last_round() -> None:
    """A22: the hard stop holds for both ways to call."""
    text = '<tool_call>{"name": "web_search", "arguments": {"query": "x"}}</tool_call>'
    async with tool_scene(native=False, policy=Policy(max_tool_rounds=1)) as scene:
        await scene.node.answer(scene.asked.request_id, text)
        asked = await scene.node.asked()
        assert "<tool_call>" not in asked.params["messages"][0]["content"]
        await scene.node.answer(asked.request_id, f"a{text}b")
        assert texts(await scene.answer.rest()) == "ab"
    assert len(scene.engine.asked) == 1


async def test_a_nodes_models_may_make_twenty_calls_a_minute() -> None:
    """A22: the limit is the node's, whoever asks; what is over it is told to the model."""
    policy = Policy(tool_calls_per_minute=2)
    async with tool_scene(policy=policy) as scene:
        await call_tools(scene.node, scene.asked.request_id, *[native_call()] * 3)
        asked = await scene.node.asked()
        results = [message["content"] for message in asked.params["messages"][-3:]]
        await scene.node.answer(asked.request_id, "ok")
        await scene.answer.rest()
    assert results[2] == "Error: tool rate limit exceeded for this node"
    assert len(scene.engine.asked) == 2


@pytest.mark.parametrize("tools", ["native", "tags"])
async def test_a_tool_that_was_not_offered_never_runs(tools: str) -> None:
    """A22: without tools in the request a call is nothing, or text that is taken out."""
    async with routing(settings=OPEN) as router, connected(router.url) as node:
        await register(node, "alpha", ["completion", "tools"])
        async with asking(router.url) as answer:
            asked = await node.asked()
            assert "tools" not in asked.params
            if tools == "native":
                await node.chunk(asked.request_id, "a")
                await call_tools(node, asked.request_id, native_call("current_time", {}))
            else:
                await node.answer(
                    asked.request_id, 'a<tool_call>{"name": "current_time"}</tool_call>'
                )
            events = await answer.rest()
    assert texts(events) == "a"
    assert finish(events[-1]) == "stop"
    assert tool_events(events) == []


async def test_a_tool_that_takes_too_long_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """A22: the model is told, and goes on."""
    async with tool_scene(policy=Policy(tool_seconds=0.05)) as scene:
        scene.engine.gate.clear()
        await call_tools(scene.node, scene.asked.request_id, native_call())
        asked = await scene.node.asked()
        assert asked.params["messages"][-1]["content"] == (
            "Error: Tool 'web_search' timed out after 0.05s"
        )
        await scene.node.answer(asked.request_id, "I could not look.")
        events = await scene.answer.rest()
    assert tool_events(events) == SEARCHED
    assert "otters" not in caplog.text


async def test_old_nodes_get_no_more_messages_than_they_take() -> None:
    """Fifty messages and two thousand more characters fit; the oldest make room."""
    async with tool_scene(native=False) as scene:
        await scene.node.answer(scene.asked.request_id, "first")
        await scene.answer.rest()
        history = [
            {"role": ("user", "assistant")[number % 2], "content": f"m{number}"}
            for number in range(49)
        ]
        async with asking(scene.router.url, messages=history) as answer:
            asked = await scene.node.asked()
            assert len(asked.params["messages"]) == 50
            await scene.node.answer(
                asked.request_id,
                'x <tool_call>[{"name": "current_time"}, {"name": "current_time"}]</tool_call>',
            )
            asked = await scene.node.asked()
            messages = asked.params["messages"]
            assert len(messages) == 50
            assert messages[0]["role"] == "system"
            assert [m["content"] for m in messages[1:47]] == [f"m{n}" for n in range(3, 49)]
            await scene.node.answer(asked.request_id, "ok")
            await answer.rest()


async def test_a_model_told_to_be_very_small_reads_nothing_about_tools() -> None:
    """It would call them, or write about them, whatever it was asked."""
    settings = OPEN.model_copy(update={"searxng_url": "http://127.0.0.1:9"})
    async with routing(settings=settings) as router, connected(router.url) as node:
        await register(node, "small", ["completion"], parameter_size="134.52M")
        async with asking(router.url) as answer:
            asked = await node.asked()
            assert [message["role"] for message in asked.params["messages"]] == ["user"]
            text = '<tool_call>{"name": "current_time", "arguments": {}}</tool_call>'
            await node.answer(asked.request_id, f"a{text}")
            assert await answer.text() == "a"


async def test_the_clock_alone_is_offered_to_models_that_know_tools() -> None:
    settings = OPEN.model_copy(update={"current_time_tool": True})
    async with routing(settings=settings) as router:
        async with connected(router.url) as node:
            await register(node, "knows", ["completion", "tools"])
            async with asking(router.url) as answer:
                asked = await node.asked()
                assert [t["function"]["name"] for t in asked.params["tools"]] == ["current_time"]
                await node.answer(asked.request_id, "x")
                await answer.rest()
            await node.socket.close()
        async with connected(router.url) as node:
            await register(node, "does not", ["completion"])
            async with asking(router.url) as answer:
                asked = await node.asked()
                assert "tools" not in asked.params
                assert len(asked.params["messages"]) == 1
                await node.answer(asked.request_id, "x")
                await answer.rest()
