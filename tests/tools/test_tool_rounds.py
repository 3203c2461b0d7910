"""Rounds of tool calls over real sockets: node, router, search engine and consumer."""

from datetime import UTC, datetime

import pytest

from tests.router.consumer import finish
from tests.tools.asking import SEARCHED, call_tools, native_call, texts, tool_events, tool_scene


async def test_a_native_call_its_result_and_the_answer() -> None:
    async with tool_scene() as scene:
        names = [tool["function"]["name"] for tool in scene.asked.params["tools"]]
        assert names == ["web_search", "current_time"]
        await scene.node.chunk(scene.asked.request_id, "Let me look. ")
        await call_tools(scene.node, scene.asked.request_id, native_call(call_id="c1"))
        again = await scene.node.asked()
        assert again.request_id != scene.asked.request_id
        assert again.params["model"] == scene.asked.params["model"]
        assert again.params["tools"] == scene.asked.params["tools"]
        question, call, result = again.params["messages"]
        assert question == scene.asked.params["messages"][0]
        assert call == {
            "role": "assistant",
            "content": "Let me look. ",
            "tool_calls": [
                {"function": {"name": "web_search", "arguments": {"query": "otters"}}, "id": "c1"}
            ],
        }
        assert result["role"] == "tool"
        assert result["tool_name"] == "web_search"
        assert result["tool_call_id"] == "c1"
        assert "Otters hold hands." in result["content"]
        await scene.node.answer(again.request_id, "They hold hands.")
        events = await scene.answer.rest()
    assert tool_events(events) == SEARCHED
    assert texts(events) == "Let me look. They hold hands."
    assert finish(events[-1]) == "stop"
    assert len({event["id"] for event in events}) == 1
    assert [asked["q"] for asked in scene.engine.asked] == ["otters"]


@pytest.mark.parametrize("closing", ["</tool_call>", ""])
async def test_a_call_in_tags_its_result_and_the_answer(closing: str) -> None:
    """A7: the call itself is never shown, and the next round begins with a fresh filter."""
    async with tool_scene(native=False) as scene:
        assert "tools" not in scene.asked.params
        system, question = scene.asked.params["messages"]
        assert system["role"] == "system"
        assert "<tool_call>" in system["content"]
        assert '"query"' in system["content"]
        text = 'One moment. <tool_call>{"name": "web_search", "arguments": {"query": "otters"}}'
        for char in text + closing:
            await scene.node.chunk(scene.asked.request_id, char)
        await scene.node.done(scene.asked.request_id)
        again = await scene.node.asked()
        assert again.params["messages"][:2] == [system, question]
        said, result = again.params["messages"][2:]
        assert said == {"role": "assistant", "content": "One moment. "}
        assert result["role"] == "user"
        assert result["content"].startswith("[Tool Result for web_search]:\nWeb search results.")
        await scene.node.answer(again.request_id, "They <b>hold</b> hands.")
        events = await scene.answer.rest()
    assert tool_events(events) == SEARCHED
    assert texts(events) == "One moment. They hold hands."


async def test_a_call_alone_leaves_no_empty_message() -> None:
    async with tool_scene(native=False) as scene:
        await scene.node.answer(
            scene.asked.request_id,
            '<tool_call>{"name": "current_time", "arguments": {}}</tool_call>',
        )
        again = await scene.node.asked()
        assert [message["role"] for message in again.params["messages"]] == [
            "system",
            "user",
            "user",
        ]
        assert str(datetime.now(UTC).year) in again.params["messages"][-1]["content"]
        await scene.node.answer(again.request_id, "noon")
        assert await scene.answer.text() == "noon"


async def test_results_belong_to_their_calls() -> None:
    """A22: an unknown tool, wrong arguments and a slow tool shift nobody's result."""
    async with tool_scene() as scene:
        scene.engine.gate.clear()
        calls = [
            native_call("web_search", {"query": "slow"}, "a"),
            native_call("rm_rf", {}, "b"),
            native_call("current_time", {"timezone": "Nowhere"}, "c"),
            native_call("web_search", {"q": "x"}, "d"),
            native_call("current_time", {}, "e"),
        ]
        await call_tools(scene.node, scene.asked.request_id, *calls)
        first = [await scene.answer.event() for _ in range(5)]
        scene.engine.gate.set()
        again = await scene.node.asked()
        results = {m["tool_call_id"]: m for m in again.params["messages"] if m["role"] == "tool"}
        await scene.node.answer(again.request_id, "ok")
        events = first + await scene.answer.rest()
    assert list(results) == list("abcde")
    assert [results[key]["tool_name"] for key in "abcde"] == [
        "web_search",
        "rm_rf",
        "current_time",
        "web_search",
        "current_time",
    ]
    assert "Otters" in results["a"]["content"]
    assert results["b"]["content"] == "Error: there is no tool 'rm_rf'"
    assert results["c"]["content"].startswith("Error: there is no such time zone")
    assert results["d"]["content"] == "Error: missing required argument 'query'"
    assert str(datetime.now(UTC).year) in results["e"]["content"]
    assert tool_events(events) == [
        ("web_search", "executing"),
        ("current_time", "executing"),
        ("current_time", "executing"),
        ("current_time", "done"),
        ("current_time", "done"),
        ("web_search", "done"),
    ]


async def test_calls_in_several_chunks_are_all_kept() -> None:
    async with tool_scene() as scene:
        for query in ("one", "two"):
            call = native_call("web_search", {"query": query})
            await scene.node.chunk(scene.asked.request_id, "", message={"tool_calls": [call]})
        await scene.node.done(scene.asked.request_id)
        again = await scene.node.asked()
        assert len(again.params["messages"]) == 4
        await scene.node.answer(again.request_id, "ok")
        await scene.answer.rest()
    assert sorted(asked["q"] for asked in scene.engine.asked) == ["one", "two"]


async def test_a_call_in_a_code_block_is_text() -> None:
    """A22: an answer about tool calls calls nothing."""
    text = '```\n<tool_call>{"name": "current_time"}</tool_call>\n```'
    async with tool_scene(native=False) as scene:
        await scene.node.answer(scene.asked.request_id, text)
        events = await scene.answer.rest()
    assert texts(events) == text
    assert tool_events(events) == []


async def test_usage_is_that_of_all_rounds() -> None:
    async with tool_scene() as scene:
        await scene.node.chunk(scene.asked.request_id, "", message={"tool_calls": [native_call()]})
        await scene.node.done(scene.asked.request_id, prompt_eval_count=10, eval_count=3)
        asked = await scene.node.asked()
        await scene.node.done(asked.request_id, "x", prompt_eval_count=30, eval_count=4)
        end = (await scene.answer.rest())[-1]
    assert end["usage"] == {"prompt_tokens": 40, "completion_tokens": 7, "total_tokens": 47}
