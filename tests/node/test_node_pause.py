"""A pause: the router hears of it at once, nothing new is taken, what runs is treated fairly."""

import asyncio

import pytest

from idleclaw_tui.node_events import LinkChanged
from idleclaw_tui.node_options import NodeTiming
from idleclaw_tui.pauses import Pause, WireReason, pause_of
from idleclaw_tui.sharing_policy import Standing
from tests.fake_ollama import FakeOllama
from tests.node.conftest import Share

MODEL = "smollm2:135m"
RARE = NodeTiming(heartbeat=3600, look=3600)
"""No heartbeat comes by itself."""


@pytest.mark.parametrize(
    ("reason", "decline"),
    [
        ("paused_by_user", "paused"),
        ("quota_day", "paused"),
        ("schedule", "paused"),
        ("warming_up", "paused"),
        ("on_battery", "owner_needs_machine"),
        ("user_active", "owner_needs_machine"),
        ("owner_inference", "owner_needs_machine"),
    ],
)
async def test_a_pause_is_told_at_once_and_nothing_new_is_taken(
    ollama: FakeOllama, share: Share, reason: WireReason, decline: str
) -> None:
    async with share(timing=RARE) as sharing:
        node = await sharing.connection()
        sharing.node.obey(Pause(reason))
        assert (await node.paused())["reason"] == reason
        refused = await node.answer(await node.request(model=MODEL))
        assert refused == [
            {"type": "inference_decline", "request_id": "request-1", "reason": decline}
        ]
        sharing.node.obey(None)
        await node.heartbeat(lambda frame: frame["available"])
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
    assert len(ollama.chats) == 1
    assert (await sharing.ended()).state == "declined"


async def test_a_pause_before_the_start_is_told_with_the_first_breath(share: Share) -> None:
    async with share(timing=RARE) as sharing:
        sharing.node.obey(Pause("on_battery"))
        node = await sharing.connection()
        await node.paused()
    assert node.frames[0]["reason"] == "on_battery"


async def test_a_pause_does_not_wait_for_an_ollama_that_hangs(
    ollama: FakeOllama, share: Share
) -> None:
    async with share(timing=RARE) as sharing:
        node = await sharing.connection()
        before = len(ollama.requests)
        sharing.node.obey(Pause("on_battery"))
        await node.paused()
        assert len(ollama.requests) == before


async def test_the_same_pause_is_told_once(share: Share) -> None:
    async with share(timing=RARE) as sharing:
        node = await sharing.connection()
        for _ in range(3):
            sharing.node.obey(Pause("on_battery"))
            await node.paused()
        sharing.node.obey(None)
        await node.heartbeat(lambda frame: frame["available"])
    assert [frame["type"] for frame in node.frames] == ["heartbeat"] * 2


async def test_a_pause_by_hand_lets_running_requests_end(ollama: FakeOllama, share: Share) -> None:
    ollama.first_token = asyncio.Event()
    async with share(timing=NodeTiming(short=0.01)) as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        sharing.node.obey(Pause("paused_by_user", "finish"))
        assert (await node.paused())["active_requests"] == 1
        assert sharing.node.active == 1
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]


async def test_heat_hands_running_requests_back_at_once(ollama: FakeOllama, share: Share) -> None:
    ollama.endless = True
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        chat = await ollama.chat(0)
        await node.first(lambda frame: frame.get("request_id") == request_id)
        sharing.node.obey(Pause("too_hot", "at_once"))
        await chat.aborted.wait()
        last = (await node.answer(request_id))[-1]
        ended = await sharing.ended()
    assert last["type"] == "inference_decline"
    assert last["reason"] == "owner_needs_machine"
    assert ended.state == "declined"
    assert "Handed back" in str(ended.error)


async def test_a_request_without_a_token_yet_goes_back_before_one_that_streams(
    ollama: FakeOllama, share: Share
) -> None:
    """The consumer of the first never notices; the second one's is spared if it is quick."""
    ollama.endless = True
    async with share(max_concurrent=2, timing=NodeTiming(short=1000)) as sharing:
        node = await sharing.connection()
        streaming = await node.request(model=MODEL)
        await node.first(lambda frame: frame.get("request_id") == streaming)
        await sharing.event(lambda event: getattr(event, "tokens_per_second", None))
        ollama.first_token = asyncio.Event()
        waiting = await node.request(model=MODEL)
        late = await ollama.chat(1)
        sharing.node.obey(Pause("user_active", "short"))
        await late.aborted.wait()
        assert (await node.answer(waiting))[-1]["type"] == "inference_decline"
        assert not (await ollama.chat(0)).aborted.is_set()
        assert sharing.node.active == 1


async def test_what_was_thought_short_and_is_not_goes_back_too(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.endless, ollama.pace = True, 0
    async with share(timing=NodeTiming(short=2.0)) as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await sharing.event(lambda event: (getattr(event, "tokens_per_second", None) or 0) > 200)
        sharing.node.obey(Pause("user_active", "short"))
        frames = await node.answer(request_id)
    assert frames[-1]["type"] == "inference_decline"


async def test_a_weightier_reason_does_not_wait_for_the_first(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        chat = await ollama.chat(0)
        sharing.node.obey(Pause("schedule", "finish"))
        await node.paused()
        sharing.node.obey(Pause("schedule", "at_once"))
        await chat.aborted.wait()
        assert (await node.answer(request_id))[-1]["reason"] == "paused"


async def test_what_is_handed_back_makes_nobody_doubt_the_models(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share(timing=NodeTiming(discovery_pause=0)) as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        asked = sum(request.path == "/api/tags" for request in ollama.requests)
        sharing.node.obey(Pause("too_hot", "at_once"))
        await node.answer(request_id)
        sharing.node.obey(None)
        ollama.first_token = None
        await node.answer(await node.request(model=MODEL))
    assert sum(request.path == "/api/tags" for request in ollama.requests) == asked


async def test_leaving_at_once_hands_back_what_runs(ollama: FakeOllama, share: Share) -> None:
    ollama.first_token = asyncio.Event()
    async with share(max_concurrent=2) as sharing:
        node = await sharing.connection()
        ids = [await node.request(model=MODEL) for _ in range(2)]
        await ollama.chat(1)
        sharing.node.stop_now()
        for request_id in ids:
            assert (await node.answer(request_id))[-1]["reason"] == "owner_needs_machine"
        await sharing.task
    assert (await sharing.ended()).error == "You stopped it."
    assert node.close_code == 1000


async def test_a_socket_that_takes_nothing_does_not_keep_the_owner(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.endless, ollama.pace, ollama.tokens = True, 0, ["x" * 100_000]
    async with share(timing=NodeTiming(goodbye=0.01, close=0.01)) as sharing:
        node = await sharing.connection()
        node.pause()
        await node.request(model=MODEL)
        chat = await ollama.chat(0)
        await chat.started.wait()
        sharing.node.stop_now()
        await sharing.task
        await chat.aborted.wait()


async def test_leaving_while_paused_says_so(share: Share) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        sharing.node.obey(Pause("on_battery"))
        await node.paused()
        sharing.node.stop()
        await sharing.task
        await node.closed.wait()
    states = [event.state for event in sharing.events if isinstance(event, LinkChanged)]
    assert states[-2:] == ["draining", "stopped"]


@pytest.mark.parametrize(
    ("standing", "before", "pause"),
    [
        (Standing("serving", "idle"), Pause("too_hot"), None),
        (Standing("warming", "idle"), None, Pause("warming_up")),
        (
            Standing("draining", "idle", ("schedule", "too_hot"), "at_once"),
            None,
            Pause("schedule", "at_once"),
        ),
        (Standing("paused", "idle"), Pause("too_hot", "at_once"), Pause("too_hot", "at_once")),
        (Standing("paused", "idle"), None, Pause("paused_by_user")),
    ],
)
def test_a_standing_asks_for_a_pause(
    standing: Standing, before: Pause | None, pause: Pause | None
) -> None:
    assert pause_of(standing, before) == pause
