"""When a machine serves others: each guard's stop and resume, and the moves between the phases."""

from datetime import timedelta
from typing import Any

import pytest

from idleclaw_tui.guards import PauseReason
from idleclaw_tui.schedule import Window
from idleclaw_tui.sharing_policy import GuardView
from idleclaw_tui.sharing_settings import DEFAULT_SETTINGS, GuardSettings, Mode, SharingSettings
from tests.sharing.machine import GIB, MONDAY, NOTHING_KNOWN, Machine

APPS = SharingSettings(exclusive_apps=("doom",))
NIGHTS = SharingSettings(mode="schedule", schedule=(Window.parse("22:00-07:00"),))

# reason, settings, mode, what stops it, seconds until it counts, what clears it, seconds until it
# goes on, what becomes of running requests
GUARDS: list[tuple[PauseReason, SharingSettings, Mode, Any, float, Any, float, str]] = [
    ("on_battery", DEFAULT_SETTINGS, "always", {"on_battery": True}, 0, {"on_battery": False}, 60,
     "at_once"),
    ("exclusive_app", APPS, "always", {"exclusive_app": "doom"}, 0, {"exclusive_app": ""}, 60,
     "short"),
    ("cpu_busy", DEFAULT_SETTINGS, "always", {"other_cpu_percent": 100.0}, 20,
     {"other_cpu_percent": 0.0}, 60, "short"),
    ("gpu_busy", DEFAULT_SETTINGS, "always", {"other_gpu_percent": 100.0}, 10,
     {"other_gpu_percent": 0.0}, 60, "short"),
    ("too_hot", DEFAULT_SETTINGS, "always", {"gpu_celsius": 83.0}, 0, {"gpu_celsius": 72.0}, 30,
     "at_once"),
    ("low_memory", DEFAULT_SETTINGS, "always", {"memory_available": GIB}, 0,
     {"memory_available": 4 * GIB}, 60, "short"),
    ("user_active", DEFAULT_SETTINGS, "idle", {"input_idle_seconds": 29.0}, 0, {}, 271, "short"),
    ("owner_inference", DEFAULT_SETTINGS, "always", {"owner_idle_seconds": 0.0}, 0, {}, 300,
     "at_once"),
    ("quota_day", SharingSettings(tokens_a_day=500), "always", {"tokens_today": 500}, 0,
     {"tokens_today": 0}, 30, "finish"),
    ("schedule", NIGHTS, "schedule", {"local_time": MONDAY.replace(hour=12)}, 0,
     {"local_time": MONDAY.replace(hour=22)}, 30, "finish"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "settings", "mode", "stop", "stop_after", "clear", "resume_after", "hand_off"),
    GUARDS,
    ids=[row[0] for row in GUARDS],
)
def test_a_guard_stops_and_lets_go_in_its_own_time(
    reason: PauseReason,
    settings: SharingSettings,
    mode: Mode,
    stop: dict[str, Any],
    stop_after: float,
    clear: dict[str, Any],
    resume_after: float,
    hand_off: str,
) -> None:
    machine = Machine(settings, mode)
    assert machine.look().serves
    machine.set(**stop)
    if stop_after:
        assert machine.wait(stop_after - 1).serves
        machine.wait(12)  # The mean over ten seconds lags behind.
    standing = machine.look()
    assert (standing.phase, standing.reasons) == ("paused", (reason,))
    assert standing.hand_off == hand_off
    machine.set(**clear)
    took = machine.seconds_until_serving()
    assert resume_after <= took <= resume_after + 31


WORST = {
    "other_cpu_percent": 100.0,
    "other_gpu_percent": 100.0,
    "gpu_celsius": 90.0,
    "memory_available": 1,
    "input_idle_seconds": 0.0,
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"other_cpu_percent": 30.0}, "cpu_busy"),
        ({"other_gpu_percent": 10.0}, "gpu_busy"),
        ({"gpu_celsius": 80.0}, "too_hot"),
        ({"memory_available": 2.5 * GIB}, "low_memory"),
        ({"input_idle_seconds": 100.0}, "user_active"),
    ],
)
def test_between_the_thresholds_things_stay_as_they_are(
    change: dict[str, Any], reason: str
) -> None:
    machine = Machine(mode="idle")
    assert machine.look().serves
    machine.set(**change)
    assert machine.wait(60).serves
    machine.set(**{name: worst for name, worst in WORST.items() if name in change})
    assert machine.wait(60).reasons == (reason,)
    machine.set(**change)
    assert machine.wait(150).reasons == (reason,)


def test_a_short_burst_of_load_is_no_reason() -> None:
    machine = Machine()
    machine.look()
    machine.set(other_cpu_percent=100.0)
    assert machine.wait(15).serves
    machine.set(other_cpu_percent=3.0)
    assert machine.wait(120).serves


def test_the_cards_load_by_relayed_requests_is_no_reason() -> None:
    machine = Machine()
    machine.set(other_gpu_percent=None, gpu_percent=0.0)
    machine.look()
    machine.set(gpu_percent=100.0, own_requests=1)
    assert machine.wait(120).serves
    machine.set(own_requests=0)
    assert machine.wait(40).reasons == ("gpu_busy",)


def test_a_card_without_room_for_a_model_stops_it() -> None:
    machine = Machine()
    machine.set(gpu_memory_free=GIB, gpu_memory_needed=2 * GIB)
    assert machine.wait(11).reasons == ("gpu_busy",)
    larger_than_the_card = Machine()
    larger_than_the_card.set(gpu_memory_free=GIB, gpu_memory_needed=9 * GIB)
    assert larger_than_the_card.wait(60).serves


def test_what_is_unknown_is_shown_and_never_waited_for() -> None:
    machine = Machine(APPS, readings=NOTHING_KNOWN)
    standing = machine.wait(60)
    assert standing.serves
    assert {view.state for view in standing.guards} == {"unknown"}
    assert {view.value for view in standing.guards} == {None}


def test_unknown_hands_are_waited_for_before_they_count_as_none() -> None:
    machine = Machine(mode="idle", readings=NOTHING_KNOWN)
    assert machine.look().reasons == ("user_active",)
    assert machine.seconds_until_serving() == pytest.approx(60, abs=2)
    assert machine.look().guards[0].state == "unknown"


def test_one_unknown_look_wakes_nobody() -> None:
    machine = Machine(mode="idle")
    machine.set(input_idle_seconds=0.0)
    machine.wait(60)
    machine.set(input_idle_seconds=None)
    assert machine.wait(50).phase == "paused"
    machine.set(input_idle_seconds=1.0)
    assert machine.wait(200).reasons == ("user_active",)


@pytest.mark.parametrize(
    ("mode", "held"),
    [
        ("always", {"quota_day", "on_battery", "owner_inference", "exclusive_app", "cpu_busy",
                    "gpu_busy", "too_hot", "low_memory"}),
        ("idle", {"quota_day", "schedule", "user_active", "on_battery", "owner_inference",
                  "exclusive_app", "cpu_busy", "gpu_busy", "too_hot", "low_memory"}),
        ("schedule", {"quota_day", "schedule", "on_battery", "owner_inference", "exclusive_app",
                      "cpu_busy", "gpu_busy", "too_hot", "low_memory"}),
        ("manual", {"quota_day", "on_battery", "too_hot", "low_memory"}),
    ],
)  # fmt: skip
def test_each_mode_has_its_guards(mode: Mode, held: set[str]) -> None:
    settings = SharingSettings(
        tokens_a_day=1, exclusive_apps=("doom",), schedule=(Window.parse("0:00-24:00"),)
    )
    standing = Machine(settings, mode).look()
    assert {view.reason for view in standing.guards} == held
    assert standing.mode == mode


def test_a_guard_can_be_switched_off() -> None:
    none = GuardSettings(
        battery=False,
        keyboard=None,
        owner_pause_seconds=None,
        cpu=None,
        gpu=None,
        gpu_temperature=None,
        memory=None,
    )
    assert Machine(SharingSettings(guards=none), "idle").look().guards == ()


def test_other_settings_hold_at_once_and_forget_nothing() -> None:
    machine = Machine()
    machine.set(on_battery=True)
    assert machine.look().reasons == ("on_battery",)
    machine.set(on_battery=False)
    machine.policy.change(SharingSettings(max_concurrent=2), "always")
    assert machine.look().reasons == ("on_battery",)
    machine.policy.change(SharingSettings(guards=GuardSettings(battery=False)), "always")
    assert machine.wait(31).serves


def test_figures_are_there_for_people() -> None:
    standing = Machine(APPS, "idle").look()
    shown = {view.reason: view for view in standing.guards}
    assert shown["user_active"] == GuardView("user_active", "clear", 3600.0)
    assert shown["cpu_busy"].value == 3.0
    assert shown["low_memory"].value == 12 * GIB
    assert shown["exclusive_app"].value == ""


def test_midnight_gives_new_tokens() -> None:
    machine = Machine(SharingSettings(tokens_a_day=100))
    machine.set(tokens_today=100, local_time=MONDAY + timedelta(hours=23))
    assert machine.wait(60).reasons == ("quota_day",)
    machine.set(tokens_today=0)
    assert machine.wait(31).serves
