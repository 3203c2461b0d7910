"""Relaying requests: order, cancellation, failures, the node's own limit."""

import asyncio
import logging
from collections.abc import AsyncGenerator

import pytest

from idleclaw_protocol.frames import Chunk, Heartbeat, InferenceChunk
from idleclaw_protocol.limits import MAX_FRAME_BYTES
from idleclaw_tui.node_events import RequestChanged
from idleclaw_tui.node_options import NodeTiming
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.relay_guard import GuardedRequest
from tests.fake_ollama import FakeModel, FakeOllama, Fault
from tests.node.conftest import Share

MODEL = "smollm2:135m"
SECRET = "the-words-of-a-stranger"


async def test_an_answer_is_relayed_in_order_with_its_counts(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.tokens = [f"word{n} \u00e9\u2028" for n in range(200)]
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        frames = await node.answer(request_id)
        ended = await sharing.ended()
    assert [InferenceChunk.model_validate(frame).chunk.done for frame in frames] == (
        [False] * 200 + [True]
    )
    assert [frame["chunk"]["message"]["content"] for frame in frames] == [*ollama.tokens, ""]
    assert frames[-1]["chunk"]["done_reason"] == "stop"
    assert frames[-1]["chunk"]["eval_count"] == 200
    assert (ended.state, ended.model, ended.prompt_tokens, ended.answer_tokens) == (
        "done",
        MODEL,
        1,
        200,
    )
    assert ended.tokens_per_second == pytest.approx(200 / 0.022652)
    states = [e.state for e in sharing.events if isinstance(e, RequestChanged)]
    assert states[:2] == ["loading", "streaming"]


async def test_the_first_chunk_has_no_key_the_original_does_not_know_how_to_skip(
    share: Share,
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        frames = await node.answer(await node.request(model=MODEL))
    assert frames[0] == {
        "type": "inference_chunk",
        "request_id": frames[0]["request_id"],
        "chunk": {"message": {"role": "assistant", "content": "Hello"}, "done": False},
    }


async def test_thinking_and_calls_of_tools_go_back_with_their_ids(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.thinking = ["Hm."]
    ollama.tool_calls = [{"id": "call_7", "function": {"name": "f", "arguments": {"a": 1}}}]
    async with share() as sharing:
        node = await sharing.connection()
        frames = await node.answer(await node.request(model=MODEL))
    messages = [frame["chunk"]["message"] for frame in frames]
    assert messages[0]["thinking"] == "Hm."
    assert messages[-2]["tool_calls"] == ollama.tool_calls


async def test_ollama_gets_the_guarded_request_and_no_more(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        await node.answer(await node.request(model=MODEL, keep_alive=0, raw=True))
    assert (await ollama.chat(0)).body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "options": {"num_predict": 4096},
        "think": False,
    }


@pytest.mark.parametrize(
    ("fault", "refused", "frame", "state"),
    [
        (Fault("cut", 2), None, {"type": "inference_error", "error": "ollama_error"}, "failed"),
        (Fault("end", 2), None, {"type": "inference_error", "error": "ollama_error"}, "failed"),
        (Fault("error", 0), None, {"type": "inference_error", "error": "ollama_error"}, "failed"),
        (Fault("oversized", 1), None, {"error": "ollama_error"}, "failed"),
        (None, (500, SECRET), {"type": "inference_error", "error": "ollama_error"}, "failed"),
        (None, (400, SECRET), {"type": "inference_error", "error": "invalid_request"}, "failed"),
        (None, (503, SECRET), {"type": "inference_decline", "reason": "busy"}, "declined"),
        (None, (404, SECRET), {"type": "inference_decline", "reason": "model_gone"}, "declined"),
    ],
    ids=str,
)
async def test_what_ollama_fails_at_is_told_at_once(
    ollama: FakeOllama,
    share: Share,
    fault: Fault | None,
    refused: tuple[int, str] | None,
    frame: dict[str, str],
    state: str,
) -> None:
    ollama.fault = fault
    if refused is not None:
        ollama.refusals["/api/chat"] = refused
    async with share() as sharing:
        node = await sharing.connection()
        last = (await node.answer(await node.request(model=MODEL)))[-1]
        ended = await sharing.ended()
    assert frame.items() <= last.items()
    assert ended.state == state
    assert ended.error is not None
    assert SECRET not in ended.error


async def test_an_ollama_that_went_away_is_told_as_unavailable(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        await ollama.stop()
        frames = await node.answer(await node.request(model=MODEL))
    assert frames[-1]["error"] == "ollama_unavailable"


async def test_a_frame_over_the_limit_ends_its_request_with_an_error(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.tokens = ["x" * (MAX_FRAME_BYTES - 160)]
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request("r" * 128, model=MODEL)
        frames = await node.answer(request_id)
        ollama.tokens = ["x" * 1000]
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
    assert [frame["type"] for frame in frames] == ["inference_error"]
    assert "1 MiB" in str((await sharing.ended()).error)


async def test_more_than_the_own_limit_is_declined(ollama: FakeOllama, share: Share) -> None:
    ollama.first_token = asyncio.Event()
    async with share(max_concurrent=2) as sharing:
        node = await sharing.connection()
        assert node.register["max_concurrent"] == 2
        running = [await node.request(model=MODEL) for _ in range(2)]
        refused = [await node.request(model=MODEL) for _ in range(5)]
        for request_id in refused:
            assert await node.answer(request_id) == [
                {"type": "inference_decline", "request_id": request_id, "reason": "busy"}
            ]
        await ollama.chat(1)
        ollama.first_token.set()
        for request_id in running:
            assert (await node.answer(request_id))[-1]["chunk"]["done"]
    assert ollama.max_in_flight == 2


async def test_heartbeats_tell_how_things_stand(ollama: FakeOllama, share: Share) -> None:
    ollama.first_token = asyncio.Event()
    async with share(timing=NodeTiming(heartbeat=0.02)) as sharing:
        node = await sharing.connection()
        idle = await node.heartbeat()
        await node.request(model=MODEL)
        busy = await node.heartbeat(lambda frame: frame["active_requests"] == 1)
        await node.heartbeat(lambda frame: frame["loaded"] == [MODEL])
    assert Heartbeat.model_validate(idle).available
    assert (idle["active_requests"], idle["loaded"]) == (0, [])
    assert idle["node_id"] == busy["node_id"] == node.register["node_id"]


class BrokenBridge(OllamaBridge):
    """Fails in ways that nothing is prepared for."""

    async def chat(self, request: GuardedRequest) -> AsyncGenerator[Chunk, None]:
        yield Chunk()
        raise KeyError(SECRET)


async def test_an_error_nobody_expected_ends_its_request_alone(
    share: Share, caplog: pytest.LogCaptureFixture
) -> None:
    async with share(bridge_type=BrokenBridge) as sharing:
        node = await sharing.connection()
        for number in (1, 2):
            frames = await node.answer(await node.request(model=MODEL))
            assert frames[-1]["error"] == "ollama_error"
            assert (await sharing.ended(number)).state == "failed"
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


async def test_nothing_people_write_is_in_events_or_logs(
    ollama: FakeOllama,
    share: Share,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    ollama.models = [FakeModel(capabilities=("completion", "thinking"))]
    ollama.tokens = [SECRET]
    ollama.thinking = [SECRET]
    words = [{"role": "user", "content": SECRET}]
    async with share() as sharing:
        node = await sharing.connection()
        await node.answer(await node.request(messages=words))
        await node.answer(await node.request(messages=[*words, {"role": SECRET}]))
        await node.answer(await node.request(messages=words, format={SECRET: [SECRET] * 2000}))
        ollama.fault = Fault("error", 1, SECRET)
        await node.answer(await node.request(messages=words))
        ollama.fault = Fault("malformed", 1)
        await node.answer(await node.request(messages=words))
        await node.send_raw('{"type": "inference_request", "ollama_params": "' + SECRET + '"}')
        ollama.fault, ollama.endless = None, True
        request_id = await node.request(messages=words)
        await node.first(lambda f: f.get("request_id") == request_id)
        node.drop()
        await sharing.connection(1)
    assert SECRET in str(node.frames)
    told = [repr(sharing.events), caplog.text, *capfd.readouterr()]
    assert not [text for text in told if SECRET in text]
