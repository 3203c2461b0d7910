"""Why a machine serves others or not, in words for its owner."""

import math
from collections.abc import Mapping
from typing import Final

from idleclaw_tui import words
from idleclaw_tui.owner.guards import PauseReason, Value
from idleclaw_tui.owner.policy import GuardState, GuardView, Standing
from idleclaw_tui.owner.settings import Mode

MODES: Final[Mapping[Mode, str]] = {
    "idle": "only when idle",
    "always": "always",
    "schedule": "at set times",
    "manual": "when you say so",
}

_SIGNALS: Final[Mapping[PauseReason, str]] = {
    "paused_by_user": "pause",
    "quota_day": "today's tokens",
    "schedule": "hours",
    "on_battery": "battery",
    "user_active": "keyboard and mouse",
    "owner_inference": "your use of Ollama",
    "exclusive_app": "your programs",
    "cpu_busy": "CPU",
    "gpu_busy": "GPU",
    "too_hot": "GPU heat",
    "low_memory": "memory",
}

GUARD_GLYPHS: Final[Mapping[GuardState, str]] = {
    "clear": words.DONE,
    "stop": words.FAILED,
    "unknown": "?",
}

_HAND_OFF: Final = {
    "finish": "Running requests end first.",
    "short": "Running requests end within seconds or are handed back.",
    "at_once": "Running requests are handed back.",
}


def why(reason: PauseReason, value: Value = None) -> str:
    """Return why sharing stopped; `value` is the figure its guard looked at."""
    number = value if isinstance(value, float) else None
    match reason:
        case "paused_by_user":
            return "you paused it"
        case "quota_day":
            given = "" if number is None else f" ({words.count(int(number), 'token')})"
            return f"today's tokens are given away{given}"
        case "schedule":
            return "this is not a time at which you share"
        case "on_battery":
            return "this machine runs on its battery"
        case "user_active":
            return f"you are using this machine{_ago(number)}"
        case "owner_inference":
            return f"you are using Ollama yourself{_ago(number)}"
        case "exclusive_app":
            return f"{value} is running" if value else "a program that you named was running"
        case "cpu_busy":
            return f"other programs keep the CPU busy{_percent(number)}"
        case "gpu_busy":
            return f"other programs need the GPU{_percent(number)}"
        case "too_hot":
            return "the GPU is hot" if number is None else f"the GPU is at {number:.0f} °C"
        case "low_memory":
            return "memory is short" + ("" if number is None else f" ({_gib(number)} free)")


def guard_words(view: GuardView) -> str:
    """Return what one guard looks at, and its figure: "CPU 9 %", "keyboard quiet 14 min"."""
    name = _SIGNALS[view.reason]
    if view.reason == "on_battery" and view.state != "unknown":
        return "on battery" if view.state == "stop" else "on mains"
    if view.reason == "schedule":
        return "outside your hours" if view.state == "stop" else "within your hours"
    if view.reason == "exclusive_app" and view.state != "unknown":
        return f"{view.value} runs" if view.value else "none of your programs"
    if not isinstance(view.value, float):
        return name
    match view.reason:
        case "user_active":
            return f"keyboard quiet {words.whole_seconds(view.value)}"
        case "owner_inference":
            never = math.isinf(view.value)
            return f"your Ollama {'quiet' if never else f'quiet {_whole(view.value)}'}"
        case "cpu_busy" | "gpu_busy":
            return f"{name} {view.value:.0f} %"
        case "too_hot":
            return f"GPU {view.value:.0f} °C"
        case "low_memory":
            return f"{_gib(view.value)} free"
        case _:
            return f"{view.value:,.0f} tokens today"


def guard_states(standing: Standing) -> str:
    """Return every guard with its figure: "✓ on mains, ✕ CPU 61 %, ? GPU"."""
    said = (f"{GUARD_GLYPHS[view.state]} {guard_words(view)}" for view in standing.guards)
    return ", ".join(said)


def unknown_signals(standing: Standing) -> str:
    """Return the names of the signals that this machine does not tell."""
    return ", ".join(_SIGNALS[view.reason] for view in standing.guards if view.state == "unknown")


def reasons(standing: Standing) -> str:
    """Return why the node does not serve, as one sentence without its full stop."""
    values = {view.reason: view.value for view in standing.guards}
    said = [why(reason, values.get(reason)) for reason in standing.reasons]
    return " and ".join(said)


def resumes(standing: Standing) -> str | None:
    """Return when it goes on by itself, where that is known."""
    left = standing.resumes_in
    if left is None:
        return None
    return f"in {_whole(left)}" if left >= 1 else "in a moment"


def pause_line(standing: Standing) -> str:
    """Return the change to this standing as one or two sentences."""
    match standing.phase:
        case "serving":
            return "No longer paused."
        case "warming":
            return "Getting ready: models are loaded and measured."
        case _ if not standing.reasons:
            return "Paused a moment longer: nothing is in the way any more."
    after = resumes(standing)
    goes_on = f" Goes on {after} if that stays so." if after and _is_quiet(standing) else ""
    running = f" {_HAND_OFF[standing.hand_off]}" if standing.phase == "draining" else ""
    return f"Paused: {reasons(standing)}.{running}{goes_on}"


def mode_line(standing: Standing) -> str:
    """Return when this machine is shared, and what it cannot tell about itself."""
    missing = unknown_signals(standing)
    unknown = f" This machine does not tell: {missing}." if missing else ""
    return f"Sharing {MODES[standing.mode]}.{unknown}"


def _is_quiet(standing: Standing) -> bool:
    """Whether only waiting is asked of the owner."""
    return all(reason in ("user_active", "owner_inference") for reason in standing.reasons)


def _ago(seconds: float | None) -> str:
    return "" if seconds is None or seconds < 1 else f" ({_whole(seconds)} ago)"


def _percent(number: float | None) -> str:
    return "" if number is None else f" ({number:.0f} %)"


def _whole(seconds: float) -> str:
    return words.whole_seconds(seconds)


def _gib(number_of_bytes: float) -> str:
    return words.size(int(number_of_bytes))
