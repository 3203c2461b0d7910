"""A node with an owner: it serves while nobody needs the machine, over real sockets."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from idleclaw_tui.day_count import DayCount, load_count, save_count
from idleclaw_tui.node_events import DayChanged, LinkChanged, NodeEvent
from idleclaw_tui.node_options import NodeTiming
from idleclaw_tui.sharing_control import ControlTiming
from idleclaw_tui.sharing_policy import SharingPolicy
from idleclaw_tui.sharing_settings import SharingSettings
from tests.fake_router_ws import Json, NodeConnection
from tests.sharing.conftest import Own
from tests.sharing.fakes import FakeSignals, LivedInOllama
from tests.waiting import wait_until

MODEL = "smollm2:135m"
BLIND = ControlTiming(look=0.01, ollama_serving=3600, ollama_paused=3600)
"""What Ollama has loaded is looked at only in the beginning."""


async def beat(node: NodeConnection, reason: str | None) -> Json:
    return await node.heartbeat(lambda frame: frame.get("reason") == reason)


async def two_looks(ollama: LivedInOllama) -> None:
    """Wait until the node has looked twice more at what is loaded."""
    seen = ollama.looks
    await wait_until(lambda: ollama.looks > seen + 1, "two looks")


def is_waiting(event: NodeEvent) -> bool:
    return isinstance(event, LinkChanged) and event.state == "waiting"


async def test_a_quiet_machine_serves_at_once(own: Own) -> None:
    async with own() as owned:
        node = await owned.connection()
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
    assert owned.standings[0].serves
    assert owned.standings[0].mode == "always"


async def test_the_owner_at_the_keyboard_comes_first(own: Own) -> None:
    async with own(desktop=True) as owned:
        node = await owned.connection()
        await owned.phase("serving")
        owned.signals.set(input_idle_seconds=0.0)
        await beat(node, "user_active")
        refused = await node.answer(await node.request(model=MODEL))
        assert refused[0]["reason"] == "owner_needs_machine"
        owned.signals.set(input_idle_seconds=299.0)
        owned.time.ahead += 60
        standing = await owned.standing(lambda s: s.guards[0].value == 299.0)
        assert standing.phase == "paused"
        owned.signals.set(input_idle_seconds=301.0)
        await owned.phase("serving")
        await beat(node, None)
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]


async def test_an_owner_who_sits_there_already_is_not_disturbed(own: Own) -> None:
    async with own(desktop=True, signals=FakeSignals()) as owned:
        owned.signals.set(input_idle_seconds=2.0)
        node = await owned.connection()
        assert (await node.heartbeat())["reason"] == "user_active"
        assert not any(standing.serves for standing in owned.standings)


async def test_a_machine_that_tells_nothing_serves_and_says_so(own: Own) -> None:
    async with own(signals=FakeSignals(None)) as owned:
        standing = await owned.phase("serving")
    states = {view.reason: view.state for view in standing.guards}
    assert states["on_battery"] == states["cpu_busy"] == "unknown"


async def test_unplugging_hands_running_requests_back(ollama: LivedInOllama, own: Own) -> None:
    ollama.endless = True
    async with own() as owned:
        node = await owned.connection()
        request_id = await node.request(model=MODEL)
        chat = await ollama.chat(0)
        owned.signals.set(on_battery=True)
        await chat.aborted.wait()
        assert (await node.answer(request_id))[-1]["type"] == "inference_decline"
        await owned.phase("paused")
        assert (await owned.ended()).state == "declined"


async def test_the_owners_own_use_of_ollama_is_noticed_and_waited_for(
    ollama: LivedInOllama, own: Own
) -> None:
    async with own() as owned:
        node = await owned.connection()
        await owned.standing(lambda s: s.guards[1].value == float("inf"))
        ollama.used_by_owner("big:8b")
        await beat(node, "owner_inference")
        owned.time.ahead += 290
        assert (await owned.phase("paused")).reasons == ("owner_inference",)
        owned.time.ahead += 10
        await owned.phase("serving")


async def test_relayed_requests_are_not_taken_for_the_owners(
    ollama: LivedInOllama, own: Own
) -> None:
    async with own() as owned:
        node = await owned.connection()
        await owned.standing(lambda s: s.guards[1].value == float("inf"))
        for _ in range(5):
            assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
            await two_looks(ollama)
    assert all("owner_inference" not in standing.reasons for standing in owned.standings)


async def test_the_owners_keep_alive_is_never_touched(ollama: LivedInOllama, own: Own) -> None:
    async with own(SharingSettings(warm_up=("big:8b",))) as owned:
        node = await owned.connection()
        await owned.phase("serving")
        await node.answer(await node.request(model=MODEL, keep_alive=-1))
        await node.answer(await node.request(model=MODEL, keep_alive=0, messages=[]))
        await node.answer(await node.request(model=MODEL, options={"keep_alive": 0}))
    assert ollama.chats
    assert not any("keep_alive" in str(request.body) for request in ollama.requests)


async def test_a_pause_by_hand_and_its_end(ollama: LivedInOllama, own: Own) -> None:
    ollama.first_token = asyncio.Event()
    async with own() as owned:
        node = await owned.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        owned.control.pause()
        await beat(node, "paused_by_user")
        await owned.phase("draining")
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
        await owned.phase("paused")
        owned.control.resume()
        await beat(node, None)
        await owned.phase("serving")


async def test_the_days_tokens_end_it_until_midnight(
    own: Own, count_path: Path, ollama: LivedInOllama
) -> None:
    async with own(SharingSettings(tokens_a_day=6), timing=BLIND) as owned:
        node = await owned.connection()
        await owned.phase("serving")
        for _ in range(2):
            assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
        await beat(node, "quota_day")
        assert (await node.answer(await node.request(model=MODEL)))[-1]["reason"] == "paused"
        owned.time.ahead += 86_400
        await beat(node, None)
        assert await owned.event(lambda e: e == DayChanged(0, 0))
    assert DayChanged(6, 2) in owned.events


async def test_the_days_tokens_are_kept_over_a_restart(own: Own, count_path: Path) -> None:
    today = date.today()
    save_count(count_path, DayCount(today, 100, 4))
    async with own() as owned:
        node = await owned.connection()
        await node.answer(await node.request(model=MODEL))
        await owned.event(lambda e: e == DayChanged(103, 5))
    assert owned.events[0] == DayChanged(100, 4)
    assert load_count(count_path, today) == DayCount(today, 103, 5)


async def test_only_marked_models_are_loaded_beforehand(ollama: LivedInOllama, own: Own) -> None:
    settings = SharingSettings(models=(MODEL,), warm_up=(MODEL, "big:8b", "gone:1b"))
    async with own(settings) as owned:
        node = await owned.connection()
        await owned.phase("serving")
        await beat(node, None)
    assert [chat.body for chat in ollama.chats] == [{"model": MODEL}]


async def test_nothing_is_served_while_models_load_and_a_stop_ends_that(
    ollama: LivedInOllama, own: Own
) -> None:
    ollama.loading = asyncio.Event()
    async with own(SharingSettings(warm_up=(MODEL,))) as owned:
        node = await owned.connection()
        assert (await beat(node, "warming_up"))["available"] is False
        chat = await ollama.chat(0)
        owned.signals.set(on_battery=True)
        await chat.aborted.wait()
        await owned.phase("paused")


async def test_a_model_that_cannot_be_loaded_is_passed_over(
    ollama: LivedInOllama, own: Own, caplog: pytest.LogCaptureFixture
) -> None:
    ollama.refusals["/api/chat"] = (500, "secret text")
    async with own(SharingSettings(warm_up=(MODEL,))) as owned:
        await owned.phase("serving")
    assert "could not be loaded beforehand" in caplog.text
    assert "secret text" not in caplog.text


async def test_other_choices_hold_at_once(ollama: LivedInOllama, own: Own) -> None:
    async with own(node_timing=NodeTiming(discovery_pause=0.01)) as owned:
        await owned.connection()
        await owned.phase("serving")
        owned.control.change(
            SharingSettings(models=("big:8b",), max_concurrent=2, exclusive_apps=("doom",))
        )
        again = await owned.connection(1)
        assert [model["name"] for model in again.register["models"]] == ["big:8b"]
        assert again.register["max_concurrent"] == 2
        assert owned.signals.watched == ("doom",)
        owned.signals.set(exclusive_app="doom")
        await beat(again, "exclusive_app")


PATIENT = NodeTiming(ollama_retry=3600)
"""What is missing is looked for again in an hour."""


async def test_a_model_that_is_ticked_is_shared_at_once(own: Own) -> None:
    async with own(SharingSettings(models=()), node_timing=PATIENT) as owned:
        await owned.event(is_waiting)
        owned.control.change(SharingSettings(models=(MODEL,)))
        node = await owned.connection()
    assert [model["name"] for model in node.register["models"]] == [MODEL]


async def test_an_ollama_that_came_back_is_found_now(ollama: LivedInOllama, own: Own) -> None:
    await ollama.stop()
    async with own(node_timing=PATIENT) as owned:
        await owned.event(is_waiting)
        await ollama.start()
        owned.control.try_now()
        await owned.connection()


async def test_leaving_finishes_what_runs(ollama: LivedInOllama, own: Own) -> None:
    ollama.first_token = asyncio.Event()
    async with own() as owned:
        node = await owned.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        owned.control.stop()
        await beat(node, "paused")
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
        await owned.task
        await node.closed.wait()


async def test_an_ollama_that_goes_and_comes_back_is_nobodys_use(
    ollama: LivedInOllama, own: Own
) -> None:
    async with own() as owned:
        await owned.connection()
        await owned.standing(lambda s: s.guards[1].value == float("inf"))
        await ollama.stop()
        await owned.standing(lambda s: s.guards[1].state == "unknown")
        ollama.loaded = [MODEL]
        await ollama.start()
        await owned.standing(lambda s: s.guards[1].value == float("inf"))
    assert all("owner_inference" not in standing.reasons for standing in owned.standings)


async def test_a_policy_that_fails_stops_sharing_and_is_logged_once(
    own: Own, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with own() as owned:
        node = await owned.connection()
        await owned.phase("serving")

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(SharingPolicy, "step", fail)
        await beat(node, "paused_by_user")
        failures = [r for r in caplog.records if "looking at this machine" in r.getMessage()]
        monkeypatch.undo()
        await beat(node, None)
    assert len(failures) == 1


async def test_a_node_that_is_stopped_before_it_began_ends(own: Own) -> None:
    async with own() as owned:
        owned.control.stop()
        await owned.task
    assert owned.router.nodes == []
