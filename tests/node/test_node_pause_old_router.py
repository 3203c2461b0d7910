"""A pause towards a router that cannot be told of one."""

import asyncio

from idleclaw_tui.pauses import Pause
from tests.fake_ollama import FakeOllama
from tests.fake_router_ws import FakeRouter
from tests.node.conftest import Share

MODEL = "smollm2:135m"


async def test_an_old_router_is_left_for_the_time_of_a_pause(
    ollama: FakeOllama, router: FakeRouter, share: Share
) -> None:
    router.features = None
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        sharing.node.obey(Pause("schedule", "finish"))
        await node.paused()
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
        await node.closed.wait()
        told = await sharing.link("waiting")
        assert "cannot be told of a pause" in told.detail
        assert told.retry_seconds is None
        assert len(router.nodes) == 1
        sharing.node.obey(None)
        again = await sharing.connection(1)
        assert (await again.answer(await again.request(model=MODEL)))[-1]["chunk"]["done"]
    assert node.close_code == 1000


async def test_an_old_router_gets_an_error_for_what_cannot_wait(
    ollama: FakeOllama, router: FakeRouter, share: Share
) -> None:
    router.features = None
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        sharing.node.obey(Pause("on_battery", "at_once"))
        assert (await node.answer(request_id))[-1]["error"] == "ollama_unavailable"
        await node.closed.wait()


async def test_an_old_router_known_as_such_is_not_bothered_during_a_pause(
    router: FakeRouter, share: Share
) -> None:
    router.features = None
    async with share() as sharing:
        node = await sharing.connection()
        sharing.node.obey(Pause("schedule"))
        await node.closed.wait()
        await sharing.link("waiting")
        sharing.node.stop()
        await sharing.task
    assert len(router.nodes) == 1


async def test_a_pause_taken_back_in_time_keeps_the_old_router(
    ollama: FakeOllama, router: FakeRouter, share: Share
) -> None:
    router.features = None
    ollama.first_token = asyncio.Event()
    async with share(max_concurrent=2) as sharing:
        node = await sharing.connection()
        first = await node.request(model=MODEL)
        await ollama.chat(0)
        sharing.node.obey(Pause("schedule"))
        await node.paused()
        sharing.node.obey(None)
        second = await node.request(model=MODEL)
        await ollama.chat(1)
        ollama.first_token.set()
        for request_id in (first, second):
            assert (await node.answer(request_id))[-1]["chunk"]["done"]
    assert len(router.nodes) == 1
