"""One answer from a node to a consumer: framing, ends, usage, tools, the wait before it."""

import json
from typing import Any

import anyio
import httpx
import pytest

from idleclaw_server.inference import Ending, InferenceRequest
from idleclaw_server.policy import Policy
from tests.router.consumer import asking, body, client, content, finish
from tests.router.raw_http import chat_request, tcp
from tests.router.recording_sink import RecordingSink
from tests.router.running import pass_time, routing
from tests.router.scripted_node import MODEL, registered
from tests.waiting import wait_until


async def test_tokens_arrive_one_by_one_and_the_end_says_why_and_how_much() -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        assert asked.params["model"] == MODEL
        assert asked.params["messages"] == [{"role": "user", "content": "hi"}]
        ids = set()
        for token in ("Hel", "lo", " world"):
            await node.chunk(asked.request_id, token)
            event = await answer.event()
            ids.add(event["id"])
            assert event["model"] == MODEL
            assert event["choices"] == [{"delta": {"content": token}, "index": 0}]
        await node.done(
            asked.request_id,
            "!",
            prompt_eval_count=12,
            eval_count=4,
            eval_duration=2_000_000_000,
        )
        last_text, end = await answer.rest()
    assert content(last_text) == "!", "text in the node's last chunk is delivered"
    assert finish(end) == "stop"
    assert end["usage"] == {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}
    assert end["timings"]["tokens_per_second"] == 2.0
    assert {end["id"], last_text["id"]} == ids
    assert "error" not in end


async def test_the_bytes_of_the_stream_suit_the_originals_consumer() -> None:
    """Lines begin with `data: `, JSON has a non-empty `choices` with a `delta`, text is on it."""
    async with routing() as router, registered(router.url) as node, client(router.url) as http:
        async with http.stream("POST", "/api/chat", json=body()) as response:
            await node.answer((await node.asked()).request_id, "a", "b")
            lines = [line async for line in response.aiter_lines()]
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    printed = ""
    for line in filter(None, lines):
        assert line.startswith("data: ")
        if line == "data: [DONE]":
            break
        printed += json.loads(line[6:])["choices"][0]["delta"].get("content", "")
    assert printed == "ab"


async def test_thinking_comes_before_the_content_of_its_chunk() -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.chunk(asked.request_id, "word", message={"thinking": "hmm"})
        await node.done(asked.request_id)
        first, second, _ = await answer.rest()
    assert first["choices"][0]["delta"] == {"content": "hmm", "reasoning": True}
    assert second["choices"][0]["delta"] == {"content": "word"}


@pytest.mark.parametrize(("done_reason", "reason"), [("length", "length"), ("load", "stop")])
async def test_the_nodes_reason_for_stopping(done_reason: str, reason: str) -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        await node.done((await node.asked()).request_id, "x", done_reason=done_reason)
        assert finish((await answer.rest())[-1]) == reason


async def test_a_node_that_leaves_done_reason_and_counts_out_is_fine() -> None:
    """The original's node agent sends neither."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        chunk = {"message": {"role": "assistant", "content": ""}, "done": True}
        await node.send(type="inference_chunk", request_id=asked.request_id, chunk=chunk)
        (end,) = await answer.rest()
    assert finish(end) == "stop"
    assert "usage" not in end


async def test_absurd_counts_are_clamped_and_never_break_an_end() -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.done(asked.request_id, eval_count=10**40, eval_duration=-5, prompt_eval_count=-1)
        (end,) = await answer.rest()
    assert end["usage"]["prompt_tokens"] == 0
    assert end["usage"]["completion_tokens"] == 1 << 53


def _call(name: str) -> dict[str, Any]:
    return {"tool_calls": [{"function": {"name": name, "arguments": {"q": name}}}]}


async def test_all_tool_call_chunks_are_kept_where_tools_were_offered() -> None:
    """Several chunks with calls, some beside text, and one in the last chunk: all arrive."""
    async with routing() as router, registered(router.url) as node:
        sink = RecordingSink()
        request = InferenceRequest(
            model=MODEL,
            messages=({"role": "system", "content": "s"}, {"role": "tool", "content": "t"}),
            client="c",
            tools=({"type": "function", "function": {"name": "a"}},),
            options={"temperature": 0.5},
            response_format="json",
        )
        router.core.submit(request, sink, anyio.current_time())
        asked = await node.asked()
        assert asked.params["tools"] == [{"type": "function", "function": {"name": "a"}}]
        assert asked.params["options"] == {"temperature": 0.5}
        assert asked.params["format"] == "json"
        await node.chunk(asked.request_id, "", message=_call("a"))
        await node.chunk(asked.request_id, "text", message=_call("b"))
        await node.done(asked.request_id, message=_call("c"))
        await wait_until(lambda: sink.ending, "the end")
    assert sink.text == "text"
    assert isinstance(sink.ending, Ending)
    assert sink.ending.reason == "tool_calls"
    assert [call.function.name for call in sink.ending.tool_calls] == ["a", "b", "c"]
    assert sink.ending.tool_calls[0].function.arguments == {"q": "a"}


async def test_tool_calls_that_nobody_offered_are_dropped() -> None:
    """A22: a node cannot make anything out of tools that were not in the request."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        assert "tools" not in asked.params
        await node.chunk(asked.request_id, "x", message=_call("a"))
        await node.done(asked.request_id)
        events = await answer.rest()
    assert finish(events[-1]) == "stop"
    assert "tool_call" not in json.dumps(events)


async def test_the_wait_for_loading_is_told_and_commented() -> None:
    async with routing() as router, registered(router.url) as node:
        await node.heartbeat(loaded=[])
        await node.settled()
        async with asking(router.url) as answer:
            asked = await node.asked()
            loading = await answer.event()
            assert loading["state"] == "loading"
            assert loading["choices"] == [{"delta": {}, "index": 0}]
            pass_time(router, 20)
            pass_time(router, 40)
            await node.answer(asked.request_id, "x")
            assert await answer.text() == "x"
            assert answer.comments == 2, "no reader's timeout fires while it waits"


async def test_comments_come_even_while_a_node_sends_nothing_visible() -> None:
    """Chunks without text are no sign of life for a consumer that waits 120 s for a byte."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        for seconds in (20, 40):
            await node.chunk(asked.request_id, "")
            await node.settled()
            pass_time(router, seconds)
        await node.answer(asked.request_id, "x")
        await answer.rest()
    assert answer.comments == 2


async def test_a_full_house_queues_with_positions_and_everyone_is_served() -> None:
    async with routing() as router, registered(router.url, slots=1) as node:
        async with asking(router.url, "one") as one, asking(router.url, "two") as two:
            async with asking(router.url, "three") as three:
                assert (await two.event())["queue"] == {"position": 1}
                waiting = await three.event()
                assert waiting["queue"] == {"position": 2}
                assert waiting["state"] == "queued"
                assert finish(waiting) is None
                turns = (("one", one), ("two", two), ("three", three))
                for number, (prompt, answer) in enumerate(turns, 1):
                    asked = await node.asked()
                    assert asked.prompt == prompt
                    pass_time(router, 3 * number)
                    await node.answer(asked.request_id, prompt)
                    events = await answer.rest()
                    assert "".join(map(content, events)) == prompt
                    if prompt == "three":
                        assert [e["queue"] for e in events if "queue" in e] == [{"position": 1}]
                        assert [e["state"] for e in events if "state" in e] == ["queued", "waiting"]


async def test_a_full_queue_is_503_with_retry_after() -> None:
    policy = Policy(max_waiting_per_model=1)
    async with routing(policy) as router, registered(router.url, slots=1) as node:
        async with asking(router.url) as running, asking(router.url) as waiting:
            await waiting.event()
            async with client(router.url) as http:
                refused = await http.post("/api/chat", json=body())
            for answer in (running, waiting):
                await node.answer((await node.asked()).request_id, "x")
                await answer.rest()
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert set(refused.json()) == {"detail"}


async def test_a_wait_over_the_limit_ends_with_an_error_that_old_consumers_can_read() -> None:
    async with routing() as router, registered(router.url, slots=1) as node:
        async with asking(router.url) as running, asking(router.url) as waiting:
            await waiting.event()
            asked = await node.asked()
            await node.chunk(asked.request_id, "x")
            await running.event()
            pass_time(router, 40)
            await node.chunk(asked.request_id, "y")
            await node.settled()
            pass_time(router, 111)
            end = (await waiting.rest())[-1]
            assert end["error"]["code"] == "queue_timeout"
            assert content(end) == f"\n\n[Error: {end['error']['message']}]"
            assert finish(end) == "error"


async def test_a_model_that_leaves_while_requests_wait_for_it() -> None:
    async with routing() as router, registered(router.url, slots=1) as node:
        async with asking(router.url) as running, asking(router.url) as waiting:
            await node.asked()
            await waiting.event()
            await node.socket.close()
            assert (await waiting.rest())[-1]["error"]["code"] == "no_node"
            assert (await running.rest())[-1]["error"]["code"] == "node_lost"


async def test_an_answer_that_takes_all_the_time_there_is_ends_as_length() -> None:
    """A12: a node that trickles for ever holds nobody for ever."""
    policy = Policy(heartbeat_timeout_seconds=5000)
    async with routing(policy) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            for seconds in (0, 50, 100):
                await node.chunk(asked.request_id, "x")
                await node.settled()
                pass_time(router, seconds)
            await node.chunk(asked.request_id, "x")
            await node.settled()
            pass_time(router, 901)
            events = await answer.rest()
            assert await node.cancelled() == asked.request_id
    *texts, end = events
    assert "".join(map(content, texts)) == "xxxx"
    assert finish(end) == "length"
    assert end["notice"] == "Cut here: an answer takes at most 900 seconds."
    assert content(end) == f"\n\n[{end['notice']}]"


async def test_a_stream_over_http_1_0() -> None:
    """Old proxies speak HTTP/1.0, where a stream ends with its connection."""
    async with routing() as router, registered(router.url) as node:
        async with tcp(router.url) as stream:
            await stream.send(chat_request(version="1.0"))
            await node.answer((await node.asked()).request_id, "x")
            received = await stream.until_closed()
    assert b" 200 OK" in received.split(b"\r\n")[0]
    assert received.endswith(b"data: [DONE]\n\n")


async def test_one_connection_serves_many_answers() -> None:
    async with routing() as router, registered(router.url) as node:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=router.url, limits=limits, trust_env=False) as http:
            for number in range(3):
                async with http.stream("POST", "/api/chat", json=body()) as response:
                    await node.answer((await node.asked()).request_id, f"<{number}>")
                    assert f"<{number}>" in (await response.aread()).decode()
