"""A node's life: registering, coming back, being refused, leaving."""

import asyncio
import contextlib

import pytest

from idleclaw_protocol.frames import Register
from idleclaw_tui.clock import Clock
from idleclaw_tui.node_events import LinkChanged, ModelsChanged, RequestChanged
from idleclaw_tui.node_options import NodeTiming
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.router_link import websocket_url
from tests.fake_ollama import FakeModel, FakeOllama
from tests.fake_router_ws import FakeRouter
from tests.node.conftest import Share, Sharing
from tests.waiting import wait_until

MODEL = "smollm2:135m"


def states(sharing: Sharing) -> list[str]:
    return [event.state for event in sharing.events if isinstance(event, LinkChanged)]


async def test_a_node_registers_what_ollama_has(ollama: FakeOllama, share: Share) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        await sharing.link("connected")
    register = Register.model_validate(node.register)
    assert [model.name for model in register.models] == ["big:8b", MODEL]
    assert register.models[1].quantization == "Q4_1"
    assert register.max_concurrent == 1
    assert register.ollama_version == "0.33.0"
    assert register.features == {"decline", "cancel_ack"}
    assert len(register.secret or "") >= 32
    assert sharing.events[0] == ModelsChanged(register.models, "0.33.0")
    assert states(sharing) == ["connecting", "connected", "stopped"]


async def test_the_owner_chooses_what_is_shared(share: Share) -> None:
    async with share(models=("smollm2:135m", "gone"), max_concurrent=3) as sharing:
        node = await sharing.connection()
    assert [model["name"] for model in node.register["models"]] == [MODEL]
    assert node.register["max_concurrent"] == 3


async def test_the_handshake_is_plain_and_takes_no_proxy(
    router: FakeRouter, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "all_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with share() as sharing:
        await sharing.connection()
    headers = router.handshakes[0].headers
    assert "Sec-WebSocket-Extensions" not in headers
    assert "Origin" not in headers


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws/node"),
        ("https://api.idleclaw.com", "wss://api.idleclaw.com/ws/node"),
        ("https://example.com/claw/", "wss://example.com/claw/ws/node"),
    ],
)
def test_the_router_is_found_beside_its_api(server: str, url: str) -> None:
    assert websocket_url(server) == url


async def test_without_ollama_the_node_says_what_to_do_and_waits(
    ollama: FakeOllama, router: FakeRouter, share: Share
) -> None:
    await ollama.stop()
    async with share(timing=NodeTiming(ollama_retry=0.01)) as sharing:
        told = await sharing.link("waiting")
        assert "ollama serve" in told.detail
        assert router.handshakes == []
        await ollama.start()
        await sharing.connection()


@pytest.mark.parametrize(
    ("chosen", "words"), [(None, "ollama pull"), (("gone:1b",), "chosen models (gone:1b)")]
)
async def test_without_a_model_the_node_says_what_to_do_and_waits(
    ollama: FakeOllama, share: Share, chosen: tuple[str, ...] | None, words: str
) -> None:
    ollama.models = [FakeModel("embed:1b", capabilities=("embedding",))]
    async with share(models=chosen, timing=NodeTiming(ollama_retry=0.01)) as sharing:
        told = await sharing.link("waiting")
        assert words in told.detail
        ollama.models.append(FakeModel("gone:1b"))
        await sharing.connection()


async def test_an_ollama_that_stops_is_told_to_the_owner_and_the_router(
    ollama: FakeOllama, share: Share
) -> None:
    async with share(timing=NodeTiming(heartbeat=0.02)) as sharing:
        node = await sharing.connection()
        await node.heartbeat(lambda frame: frame["available"])
        await ollama.stop()
        beat = await node.heartbeat(lambda frame: not frame["available"])
        assert beat["reason"] == "ollama_unavailable"
        await sharing.link("connected", lambda e: "ollama serve" in (e.detail or ""))
        seen = len(node.frames)
        await ollama.start()
        await wait_until(
            lambda: any(frame["available"] for frame in node.frames[seen:]), "Ollama to be back"
        )
    connected = [e for e in sharing.events if isinstance(e, LinkChanged) and e.state == "connected"]
    assert [event.detail is None for event in connected] == [True, False, True]


FAST_LOOK = NodeTiming(discovery=0.02, discovery_pause=0.01)


async def test_other_models_are_registered_anew_once_nothing_runs(
    ollama: FakeOllama, share: Share
) -> None:
    async with share(timing=FAST_LOOK) as sharing:
        node = await sharing.connection()
        ollama.first_token = asyncio.Event()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        ollama.models.append(FakeModel("new:1b"))
        beat = await node.heartbeat(lambda frame: not frame["available"])
        assert beat["reason"] == "busy"
        assert not node.closed.is_set()
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
        again = await sharing.connection(1)
    assert "new:1b" in [model["name"] for model in again.register["models"]]
    assert node.close_code == 1000


def _asked_about(name: str, ollama: FakeOllama) -> bool:
    return any(request.body == {"model": name} for request in ollama.requests)


async def test_an_old_router_is_left_for_new_models_only_when_nothing_runs(
    ollama: FakeOllama, router: FakeRouter, share: Share
) -> None:
    router.features = None
    async with share(timing=FAST_LOOK, max_concurrent=2) as sharing:
        node = await sharing.connection()
        ollama.first_token = asyncio.Event()
        first = await node.request(model=MODEL)
        await ollama.chat(0)
        ollama.models.append(FakeModel("new:1b"))
        await wait_until(lambda: _asked_about("new:1b", ollama), "the new model to be found")
        second = await node.request(model=MODEL)
        await ollama.chat(1)
        ollama.first_token.set()
        for request_id in (first, second):
            assert (await node.answer(request_id))[-1]["chunk"]["done"]
        await sharing.connection(1)


async def test_a_model_that_is_gone_makes_the_node_look_again(
    ollama: FakeOllama, share: Share
) -> None:
    async with share(timing=NodeTiming(discovery_pause=0.01)) as sharing:
        node = await sharing.connection()
        del ollama.models[0]
        request_id = await node.request(model=MODEL)
        assert (await node.answer(request_id))[-1]["reason"] == "model_gone"
        again = await sharing.connection(1)
    assert [model["name"] for model in again.register["models"]] == ["big:8b"]


async def test_a_machine_that_slept_connects_again_at_once(
    ollama: FakeOllama, share: Share
) -> None:
    slept = 0.0
    clock = Clock(wall=lambda: Clock().monotonic() + slept)
    ollama.first_token = asyncio.Event()
    async with share(
        clock=clock, timing=NodeTiming(look=0.01), uniform=lambda low, high: 1000.0
    ) as sharing:
        node = await sharing.connection()
        await node.request(model=MODEL)
        chat = await ollama.chat(0)
        slept = 3600.0
        await chat.aborted.wait()
        await sharing.connection(1)
        told = await sharing.link("waiting")
    assert "asleep" in told.detail
    assert told.retry_seconds == 0


async def test_a_router_that_takes_nothing_more_is_left(ollama: FakeOllama, share: Share) -> None:
    ollama.endless, ollama.pace, ollama.tokens = True, 0, ["x" * 100_000]
    async with share(timing=NodeTiming(heartbeat=0.05, stall=0.3)) as sharing:
        node = await sharing.connection()
        node.pause()
        await node.request(model=MODEL)
        told = await sharing.link("waiting")
        await (await ollama.chat(0)).aborted.wait()
        await sharing.connection(1)
    assert "takes nothing more" in told.detail


async def test_stopping_finishes_what_runs_takes_nothing_new_and_leaves(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        sharing.node.stop()
        beat = await node.heartbeat(lambda frame: not frame["available"])
        assert (beat["reason"], beat["active_requests"]) == ("paused", 1)
        refused = await node.answer(await node.request(model=MODEL))
        assert refused[0]["reason"] == "paused"
        assert not sharing.task.done()
        ollama.first_token.set()
        frames = await node.answer(request_id)
        await sharing.task
        await node.closed.wait()
    assert frames[-1]["chunk"]["done"]
    assert node.close_code == 1000
    assert states(sharing) == ["connecting", "connected", "draining", "stopped"]
    assert len(ollama.chats) == 1


async def test_stopping_now_cancels_what_runs_and_leaves(ollama: FakeOllama, share: Share) -> None:
    ollama.endless = True
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await node.first(lambda frame: frame.get("request_id") == request_id)
        sharing.node.stop()
        sharing.node.stop_now()
        await sharing.task
        await (await ollama.chat(0)).aborted.wait()
        await node.closed.wait()
    assert node.close_code == 1000
    last = [e for e in sharing.events if isinstance(e, RequestChanged)][-1]
    assert (last.state, last.error) == ("cancelled", "You stopped it.")


async def test_cancelling_the_run_stops_it_as_well(ollama: FakeOllama, share: Share) -> None:
    ollama.endless = True
    async with share() as sharing:
        node = await sharing.connection()
        await node.request(model=MODEL)
        chat = await ollama.chat(0)
        sharing.task.cancel()
        await chat.aborted.wait()
        with contextlib.suppress(asyncio.CancelledError):
            await sharing.task
        assert sharing.task.cancelled()
        await node.closed.wait()
        sharing.task = asyncio.create_task(asyncio.sleep(0))
    assert states(sharing)[-1] == "stopped"


class BrokenOnce(OllamaBridge):
    """Fails once in a way that nothing is prepared for."""

    broken = True

    async def version(self) -> str:
        if self.broken:
            self.broken = False
            raise KeyError("version")
        return await super().version()


async def test_an_error_nobody_expected_is_survived(
    share: Share, caplog: pytest.LogCaptureFixture
) -> None:
    async with share(bridge_type=BrokenOnce) as sharing:
        told = await sharing.link("waiting")
        await sharing.connection()
    assert "did not expect" in told.detail
    assert "KeyError" in caplog.text


async def test_stopping_while_waiting_needs_no_wait(router: FakeRouter, share: Share) -> None:
    router.refusal = (1008, "no")
    async with share() as sharing:
        await sharing.link("refused")
        sharing.node.stop()
        await sharing.task
    assert states(sharing)[-1] == "stopped"


async def test_stopping_twice_and_before_the_start_is_no_error(share: Share) -> None:
    async with share() as sharing:
        sharing.node.stop()
        sharing.node.stop()
        await sharing.task
    assert states(sharing) == ["stopped"]
