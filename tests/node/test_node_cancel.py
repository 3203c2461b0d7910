"""A20: cancelling reaches Ollama at once, and frees the place."""

import asyncio

from idleclaw_tui.node_events import RequestChanged
from tests.fake_ollama import FakeOllama
from tests.fake_router_ws import FakeRouter
from tests.node.conftest import Share

MODEL = "smollm2:135m"


async def test_cancelling_before_the_first_token_reaches_ollama_and_is_confirmed(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        chat = await ollama.chat(0)
        await node.cancel(request_id)
        await chat.aborted.wait()
        frames = await node.answer(request_id)
        ended = await sharing.ended()
    assert frames == [{"type": "inference_cancelled", "request_id": request_id}]
    assert (ended.state, ended.error) == ("cancelled", None)


async def test_cancelling_in_the_middle_reaches_ollama_and_is_confirmed(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.endless = True
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await node.first(lambda frame: frame["type"] == "inference_chunk")
        await node.cancel(request_id)
        await (await ollama.chat(0)).aborted.wait()
        frames = await node.answer(request_id)
    assert frames[-1]["type"] == "inference_cancelled"


async def test_a_request_cancelled_in_the_same_breath_never_stays(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.endless = True
    async with share() as sharing:
        node = await sharing.connection()
        for number in range(20):
            request_id = await node.request(f"r{number}", model=MODEL)
            await node.cancel(request_id)
            assert (await node.answer(request_id))[-1]["type"] == "inference_cancelled"
        ollama.endless = False
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]


async def test_an_old_router_gets_no_frame_it_does_not_know(
    ollama: FakeOllama, router: FakeRouter, share: Share
) -> None:
    router.features = None
    ollama.endless = True
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        busy = await node.answer(await node.request(model=MODEL))
        await node.cancel(request_id)
        await sharing.event(lambda e: isinstance(e, RequestChanged) and e.state == "cancelled")
        await node.cancel("unknown")
        ollama.endless = False
        await node.answer(await node.request(model=MODEL))
    assert busy[0]["type"] == "inference_error"
    assert busy[0]["error"] == "ollama_unavailable"
    assert {frame["type"] for frame in node.frames} == {"inference_chunk", "inference_error"}


async def test_the_cancel_that_follows_every_request_is_no_news(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        for number in range(1, 6):
            request_id = await node.request(model=MODEL)
            await node.answer(request_id)
            await node.cancel(request_id)
            assert (await sharing.ended(number)).state == "done"
    assert all(frame["type"] == "inference_chunk" for frame in node.frames)


async def test_a_new_request_fits_as_soon_as_the_last_is_done_or_cancelled(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        for _ in range(20):
            assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
        ollama.endless = True
        cancelled = await node.request(model=MODEL)
        await ollama.chat(20)
        await node.cancel(cancelled)
        request_id = await node.request(model=MODEL)
        await node.first(lambda frame: frame.get("request_id") == request_id)
        assert not [frame for frame in node.frames if frame["type"] == "inference_decline"]


async def test_a_place_is_free_with_the_last_frame_and_not_only_when_ollama_closes(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.linger = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        first, second = "first", "second"
        await node.request(first, model=MODEL)
        assert (await node.answer(first))[-1]["chunk"]["done"]
        await node.request(second, model=MODEL)
        assert (await node.answer(second))[-1]["type"] == "inference_chunk"
        ollama.linger.set()
