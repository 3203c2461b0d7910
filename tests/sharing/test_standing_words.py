"""Why a machine serves or not, as its owner reads it."""

import pytest

from idleclaw_tui.owner.guards import PauseReason, Value
from idleclaw_tui.owner.policy import GuardView, Standing
from idleclaw_tui.sharing.standing_words import (
    guard_words,
    mode_line,
    pause_line,
    reasons,
    resumes,
    unknown_signals,
    why,
)

GB = 10**9


@pytest.mark.parametrize(
    ("reason", "value", "said"),
    [
        ("paused_by_user", None, "you paused it"),
        ("quota_day", 100_000.0, "today's tokens are given away (100,000 tokens)"),
        ("schedule", None, "this is not a time at which you share"),
        ("on_battery", None, "this machine runs on its battery"),
        ("user_active", 12.0, "you are using this machine (12 s ago)"),
        ("user_active", 0.3, "you are using this machine"),
        ("owner_inference", 70.0, "you are using Ollama yourself (70 s ago)"),
        ("exclusive_app", "doom", "doom is running"),
        ("exclusive_app", "", "a program that you named was running"),
        ("cpu_busy", 74.2, "other programs keep the CPU busy (74 %)"),
        ("gpu_busy", 80.0, "other programs need the GPU (80 %)"),
        ("too_hot", 84.4, "the GPU is at 84 °C"),
        ("low_memory", 1.2 * GB, "memory is short (1.2 GB free)"),
        ("gpu_busy", None, "other programs need the GPU"),
        ("too_hot", None, "the GPU is hot"),
        ("low_memory", None, "memory is short"),
    ],
)
def test_every_reason_has_its_words(reason: PauseReason, value: Value, said: str) -> None:
    assert why(reason, value) == said


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (GuardView("on_battery", "clear"), "on mains"),
        (GuardView("on_battery", "stop"), "on battery"),
        (GuardView("on_battery", "unknown"), "battery"),
        (GuardView("schedule", "clear"), "within your hours"),
        (GuardView("schedule", "stop"), "outside your hours"),
        (GuardView("user_active", "clear", 840.0), "keyboard quiet 14 min"),
        (GuardView("user_active", "unknown"), "keyboard and mouse"),
        (GuardView("owner_inference", "clear", float("inf")), "your Ollama quiet"),
        (GuardView("owner_inference", "stop", 61.0), "your Ollama quiet 61 s"),
        (GuardView("exclusive_app", "stop", "doom"), "doom runs"),
        (GuardView("exclusive_app", "clear", ""), "none of your programs"),
        (GuardView("cpu_busy", "clear", 9.4), "CPU 9 %"),
        (GuardView("gpu_busy", "unknown"), "GPU"),
        (GuardView("too_hot", "clear", 64.0), "GPU 64 °C"),
        (GuardView("low_memory", "clear", 12.0 * GB), "12.0 GB free"),
        (GuardView("quota_day", "clear", 18_420.0), "18,420 tokens today"),
    ],
)
def test_every_guard_has_its_words(view: GuardView, said: str) -> None:
    assert guard_words(view) == said


def test_a_pause_says_why_what_becomes_of_requests_and_when_it_ends() -> None:
    active = GuardView("user_active", "stop", 12.0)
    standing = Standing("draining", "idle", ("user_active",), "short", (active,), 288.0)
    assert pause_line(standing) == (
        "Paused: you are using this machine (12 s ago). Running requests end within seconds or are "
        "handed back. Goes on in 4 min if that stays so."
    )


def test_several_reasons_are_told_together() -> None:
    heat = GuardView("too_hot", "stop", 90.0)
    standing = Standing("paused", "idle", ("paused_by_user", "too_hot"), "at_once", (heat,))
    assert pause_line(standing) == "Paused: you paused it and the GPU is at 90 °C."


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing("serving", "idle"), "No longer paused."),
        (Standing("warming", "idle"), "Getting ready: models are loaded and measured."),
        (Standing("paused", "idle"), "Paused a moment longer: nothing is in the way any more."),
        (
            Standing("draining", "idle", ("too_hot",), "at_once"),
            "Paused: the GPU is hot. Running requests are handed back.",
        ),
        (
            Standing("draining", "idle", ("schedule",), "finish"),
            "Paused: this is not a time at which you share. Running requests end first.",
        ),
    ],
)
def test_every_phase_has_its_line(standing: Standing, said: str) -> None:
    assert pause_line(standing) == said


def test_what_is_not_known_is_said_once_in_the_beginning() -> None:
    guards = (GuardView("cpu_busy", "unknown"), GuardView("on_battery", "unknown"))
    standing = Standing("serving", "always", guards=guards)
    assert unknown_signals(standing) == "CPU, battery"
    assert mode_line(standing) == "Sharing always. This machine does not tell: CPU, battery."
    assert mode_line(Standing("serving", "schedule")) == "Sharing at set times."


def test_when_it_goes_on_is_said_where_it_is_known() -> None:
    assert resumes(Standing("paused", "idle")) is None
    assert resumes(Standing("paused", "idle", resumes_in=0.2)) == "in a moment"
    assert resumes(Standing("paused", "idle", resumes_in=61.0)) == "in 61 s"
    assert reasons(Standing("paused", "idle")) == ""
