"""Measuring how fast this machine answers: once, briefly, never beside its owner."""

import asyncio
from typing import Any

import pytest

from idleclaw_tui.clock import Clock
from idleclaw_tui.node_events import SpeedMeasured
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.speed_check import measure_now, measure_speed, model_to_measure
from tests.fake_ollama import Fault
from tests.sharing.conftest import Own
from tests.sharing.fakes import FakeSignals, LivedInOllama
from tests.sharing.test_sharing_control import beat, two_looks

MODEL = "smollm2:135m"


async def now(ollama: LivedInOllama, settings: SharingSettings, **signals: Any) -> SpeedMeasured:
    """Measure on a machine that is quiet but for these signals."""
    source = FakeSignals()
    source.set(**signals)
    async with OllamaBridge(ollama.url) as bridge:
        return await measure_now(bridge, await bridge.models(), settings, source, Clock())


async def test_the_smallest_model_is_asked_something_short(ollama: LivedInOllama) -> None:
    measured = await now(ollama, SharingSettings())
    assert measured.model == MODEL
    assert measured.tokens_per_second == pytest.approx(3 / 0.022652)
    (chat,) = ollama.chats
    assert chat.body["options"] == {"num_predict": 48, "temperature": 0}
    assert "keep_alive" not in chat.body
    assert "think" not in chat.body


async def test_a_model_in_memory_is_taken_before_another_is_loaded(ollama: LivedInOllama) -> None:
    ollama.loaded = ["big:8b"]
    assert (await now(ollama, SharingSettings())).model == "big:8b"


async def test_without_counts_the_pieces_are_timed(ollama: LivedInOllama) -> None:
    ollama.usage = False
    measured = await now(ollama, SharingSettings())
    assert measured.tokens_per_second is not None


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"on_battery": True}, "this machine runs on its battery"),
        ({"other_cpu_percent": 90.0}, "other programs keep the CPU busy"),
        ({"exclusive_app": "doom"}, "a program that you named was running"),
        ({"gpu_celsius": 90.0}, "the GPU is hot"),
        ({"memory_available": 2**30}, "memory is short"),
        ({"ollama_cpu_percent": 90.0}, "you are using Ollama yourself"),
        ({"gpu_percent": 90.0}, "you are using Ollama yourself"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_a_busy_machine_is_not_measured(
    ollama: LivedInOllama, signals: dict[str, Any], said: str
) -> None:
    measured = await now(ollama, SharingSettings(exclusive_apps=("doom",)), **signals)
    assert measured.tokens_per_second is None
    assert measured.why_not == f"Not now: {said}."
    assert ollama.chats == []


async def test_whoever_presses_the_key_is_no_reason_to_wait(ollama: LivedInOllama) -> None:
    measured = await now(ollama, SharingSettings(), input_idle_seconds=0.0)
    assert measured.tokens_per_second is not None


async def test_what_goes_wrong_is_said(ollama: LivedInOllama) -> None:
    ollama.fault = Fault("error", 1, "secret text")
    measured = await now(ollama, SharingSettings())
    assert measured.why_not == "Ollama ended the answer with an error. Its own log says more."
    ollama.fault, ollama.tokens = None, ()
    ollama.usage = False
    assert (await now(ollama, SharingSettings())).why_not == f"{MODEL} had nothing to say."
    ollama.models = []
    assert (await now(ollama, SharingSettings())).why_not == "There is no model to measure."


async def test_an_answer_that_takes_too_long_is_given_up(ollama: LivedInOllama) -> None:
    ollama.first_token = asyncio.Event()
    async with OllamaBridge(ollama.url) as bridge:
        model = (await bridge.models())[-1]
        measured = await measure_speed(bridge, model, Clock(), seconds=0.05)
    assert measured.why_not is not None
    assert "gave no short answer" in measured.why_not
    await ollama.chats[0].aborted.wait()


def test_nothing_to_measure() -> None:
    assert model_to_measure((), ()) is None


async def test_sharing_begins_with_a_measurement_and_serves_nobody_meanwhile(
    ollama: LivedInOllama, own: Own
) -> None:
    ollama.first_token = asyncio.Event()
    async with own(measure=True) as owned:
        node = await owned.connection()
        await beat(node, "warming_up")
        await ollama.chat(0)
        assert (await node.answer(await node.request(model=MODEL)))[-1]["reason"] == "paused"
        ollama.first_token.set()
        await owned.phase("serving")
        measured = await owned.event(lambda e: isinstance(e, SpeedMeasured))
        assert measured.model == MODEL
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
    assert all("owner_inference" not in standing.reasons for standing in owned.standings)


async def test_an_owner_who_comes_ends_the_measurement_which_is_made_up_for(
    ollama: LivedInOllama, own: Own
) -> None:
    ollama.endless = True
    async with own(measure=True) as owned:
        chat = await ollama.chat(0)
        owned.signals.set(on_battery=True)
        await chat.aborted.wait()
        await owned.phase("paused")
        await two_looks(ollama)
        ollama.endless = False
        owned.signals.set(on_battery=False)
        await owned.standing(lambda standing: standing.resumes_in is not None)
        owned.time.ahead += 61
        await owned.phase("serving")
        await owned.event(lambda e: isinstance(e, SpeedMeasured))
    assert len([e for e in owned.events if isinstance(e, SpeedMeasured)]) == 1
