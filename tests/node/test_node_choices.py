"""The owner's choices, changed while the node runs: what is offered, how much, how long."""

import asyncio

from idleclaw_tui.node_events import RequestChanged
from idleclaw_tui.node_options import NodeTiming
from idleclaw_tui.relay_guard import GuardLimits
from tests.fake_ollama import FakeOllama
from tests.node.conftest import Share
from tests.waiting import wait_until

MODEL = "smollm2:135m"


async def test_more_at_once_is_registered_anew_and_fewer_are_told(
    ollama: FakeOllama, share: Share
) -> None:
    async with share(timing=NodeTiming(discovery_pause=0.01)) as sharing:
        node = await sharing.connection()
        sharing.node.change(models=None, max_concurrent=3, limits=GuardLimits())
        more = await sharing.connection(1)
        assert more.register["max_concurrent"] == 3
        sharing.node.change(models=None, max_concurrent=2, limits=GuardLimits())
        await more.heartbeat(lambda frame: frame["max_concurrent"] == 2)
        ollama.first_token = asyncio.Event()
        ids = [await more.request(model=MODEL) for _ in range(3)]
        assert (await more.answer(ids[2]))[-1]["reason"] == "busy"
        assert node.close_code == 1000


async def test_other_models_are_registered_anew_and_running_requests_end(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share(timing=NodeTiming(discovery_pause=0.01)) as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        sharing.node.change(models=["big:8b"], max_concurrent=1, limits=GuardLimits())
        await node.heartbeat(lambda frame: frame.get("reason") == "busy")
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
        again = await sharing.connection(1)
    assert [model["name"] for model in again.register["models"]] == ["big:8b"]


async def test_a_smaller_context_is_registered_and_longer_conversations_declined(
    share: Share,
) -> None:
    async with share(limits=GuardLimits(context_tokens=512)) as sharing:
        node = await sharing.connection()
        assert {model["context_length"] for model in node.register["models"]} == {512}
        words = {"role": "user", "content": "x" * 513}
        fits = await node.request(model=MODEL, messages=[words] * 3)
        assert (await node.answer(fits))[-1]["chunk"]["done"]
        request_id = await node.request(model=MODEL, messages=[words] * 4)
        assert (await node.answer(request_id))[-1]["reason"] == "too_long"
        ended = await sharing.ended(2)
    assert ended.state == "declined"
    assert ended.error == "The conversation is longer than you allow."


async def test_a_shorter_answer_holds_for_the_next_request(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        sharing.node.change(models=None, max_concurrent=1, limits=GuardLimits(answer_tokens=7))
        await node.answer(await node.request(model=MODEL, options={"num_predict": 5000}))
    assert ollama.chats[0].body["options"]["num_predict"] == 7


async def test_a_request_behind_another_is_queued(ollama: FakeOllama, share: Share) -> None:
    ollama.first_token = asyncio.Event()
    async with share(max_concurrent=2) as sharing:
        node = await sharing.connection()
        ids = [await node.request(model=MODEL) for _ in range(2)]
        await ollama.chat(1)
        ollama.first_token.set()
        for request_id in ids:
            await node.answer(request_id)
        await wait_until(lambda: sharing.node.active == 0, "both to end")
    states: dict[int, list[str]] = {}
    for event in sharing.events:
        if isinstance(event, RequestChanged):
            states.setdefault(event.number, []).append(event.state)
    assert states[1][0] == "loading"
    assert states[2][0] == "queued"
    assert states[1][-1] == states[2][-1] == "done"
