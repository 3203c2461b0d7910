"""The owner's limits and the guards' thresholds in words."""

from collections.abc import Iterator

from idleclaw_tui import words
from idleclaw_tui.owner.guards import PauseReason
from idleclaw_tui.owner.settings import Mode, SharingSettings
from idleclaw_tui.sharing.standing_words import MODES
from idleclaw_tui.words import Toned

_LABEL = 10


def limit_lines(settings: SharingSettings, mode: Mode | None) -> list[tuple[Toned, ...]]:
    """Return a line a limit; `mode` is the one that holds, where that is known."""
    return [
        (Toned(label.ljust(_LABEL), "dim"), Toned(said)) for label, said in _limits(settings, mode)
    ]


def _limits(settings: SharingSettings, mode: Mode | None) -> Iterator[tuple[str, str]]:
    held = settings.mode or mode
    yield "share", MODES[held] if held else "automatically"
    if settings.schedule:
        yield "hours", "; ".join(str(window) for window in settings.schedule)
    at_once = words.count(settings.max_concurrent, "request")
    context = settings.context_tokens
    yield "at once", at_once
    yield "context", "the model's own" if context is None else f"up to {context:,} tokens"
    yield "answer", f"up to {settings.answer_tokens:,} tokens"
    day = settings.tokens_a_day
    yield "a day", "no limit" if day is None else f"{day:,} tokens"
    if settings.exclusive_apps:
        yield "not beside", ", ".join(settings.exclusive_apps)


def rule(reason: PauseReason, settings: SharingSettings) -> str:
    """Return when a guard stops sharing and when it lets it go on."""
    guards = settings.guards
    match reason:
        case "quota_day" if settings.tokens_a_day is not None:
            return f"stops at {settings.tokens_a_day:,}, until midnight"
        case "on_battery":
            return f"goes on {_time(guards.battery_resume_seconds)} after it is plugged in"
        case "user_active" if guards.keyboard is not None:
            keyboard = guards.keyboard
            stop, resume = _time(keyboard.stop_seconds), _time(keyboard.resume_seconds)
            return f"stops under {stop}, goes on after {resume}"
        case "owner_inference" if guards.owner_pause_seconds is not None:
            return f"goes on {_time(guards.owner_pause_seconds)} after it"
        case "exclusive_app":
            return f"goes on {_time(guards.exclusive_app_resume_seconds)} after they end"
        case "cpu_busy" if guards.cpu is not None:
            return f"stops above {guards.cpu.stop:g} %, goes on below {guards.cpu.resume:g} %"
        case "gpu_busy" if guards.gpu is not None:
            return f"stops above {guards.gpu.stop:g} %, goes on below {guards.gpu.resume:g} %"
        case "too_hot" if guards.gpu_temperature is not None:
            heat = guards.gpu_temperature
            return f"stops at {heat.stop:g} °C, goes on at {heat.resume:g} °C"
        case "low_memory" if guards.memory is not None:
            least = guards.memory
            return f"stops below {least.least_gib:g} GiB or {least.least_percent:g} %"
        case _:
            return ""


def _time(seconds: float) -> str:
    return words.whole_seconds(seconds)
