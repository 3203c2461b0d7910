"""Each thing that the owner's machine may be needed for: when sharing stops for it, when not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from idleclaw_tui.owner.readings import Readings
from idleclaw_tui.owner.schedule import is_open
from idleclaw_tui.owner.settings import Mode, SharingSettings

PauseReason = Literal[
    "paused_by_user",
    "quota_day",
    "schedule",
    "on_battery",
    "user_active",
    "owner_inference",
    "exclusive_app",
    "cpu_busy",
    "gpu_busy",
    "too_hot",
    "low_memory",
]
"""Why a node does not serve: the closed list that owner and router are told."""

HandOff = Literal["finish", "short", "at_once"]
"""What becomes of running requests: all end, those that end within seconds do, or none does."""

Level = Literal["stop", "between", "clear"]
Value = float | str | None

_MEMORY_MARGIN: Final = 1.5
_GIB: Final = 1024**3
_WHOLE_CARD: Final = 0.9
"""A model above this part of the card's memory never fits, and is no reason to wait."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One reason not to share.

    `level` judges a reading, None where its signal is unknown; `value` is the figure it looks at,
    for people. A stop has to last `stop_seconds` to count, a clear `resume_seconds`; in between,
    things stay as they are. `left` tells how long a clear is off if nothing happens, where that
    can be known. A guard that `starts_stopped` waits for a clear from the beginning.
    """

    reason: PauseReason
    level: Callable[[Readings], Level | None]
    value: Callable[[Readings], Value] = lambda _: None
    stop_seconds: float = 0.0
    resume_seconds: float = 0.0
    hand_off: HandOff = "short"
    left: Callable[[Readings], float | None] = lambda _: None
    starts_stopped: bool = False


def guards_for(settings: SharingSettings, mode: Mode) -> tuple[Guard, ...]:
    """Return the guards that hold in `mode`, in the order in which people are told of them."""
    held = [*_limits(settings)]
    if mode in ("idle", "schedule") and settings.schedule:
        held.append(_schedule(settings))
    if mode == "idle":
        held += _keyboard(settings)
    held += _power(settings)
    if mode != "manual":
        held += [*_owner(settings), *_apps(settings), *_processor(settings), *_graphics(settings)]
    return (*held, *_heat(settings), *_memory(settings))


def _limits(settings: SharingSettings) -> Iterator[Guard]:
    limit = settings.tokens_a_day
    if limit is not None:
        yield Guard(
            "quota_day",
            lambda now: "stop" if now.tokens_today >= limit else "clear",
            lambda now: float(now.tokens_today),
            hand_off="finish",
        )


def _schedule(settings: SharingSettings) -> Guard:
    return Guard(
        "schedule",
        lambda now: "clear" if is_open(settings.schedule, now.local_time) else "stop",
        hand_off="finish",
    )


def _keyboard(settings: SharingSettings) -> Iterator[Guard]:
    guard = settings.guards.keyboard
    if guard is not None:
        yield Guard(
            "user_active",
            lambda now: _quiet(now.input_idle_seconds, guard.stop_seconds, guard.resume_seconds),
            lambda now: now.input_idle_seconds,
            left=lambda now: _left(now.input_idle_seconds, guard.resume_seconds),
            starts_stopped=True,
        )


def _power(settings: SharingSettings) -> Iterator[Guard]:
    if settings.guards.battery:
        yield Guard(
            "on_battery",
            lambda now: None if now.on_battery is None else _stop_if(now.on_battery),
            resume_seconds=settings.guards.battery_resume_seconds,
            hand_off="at_once",
        )


def _owner(settings: SharingSettings) -> Iterator[Guard]:
    pause = settings.guards.owner_pause_seconds
    if pause is not None:
        yield Guard(
            "owner_inference",
            lambda now: _quiet(now.owner_idle_seconds, pause, pause),
            lambda now: now.owner_idle_seconds,
            hand_off="at_once",
            left=lambda now: _left(now.owner_idle_seconds, pause),
        )


def _apps(settings: SharingSettings) -> Iterator[Guard]:
    if settings.exclusive_apps:
        yield Guard(
            "exclusive_app",
            lambda now: None if now.exclusive_app is None else _stop_if(bool(now.exclusive_app)),
            lambda now: now.exclusive_app,
            resume_seconds=settings.guards.exclusive_app_resume_seconds,
        )


def _processor(settings: SharingSettings) -> Iterator[Guard]:
    guard = settings.guards.cpu
    if guard is not None:
        yield Guard(
            "cpu_busy",
            lambda now: _load(now.other_cpu_percent, guard.stop, guard.resume),
            lambda now: now.other_cpu_percent,
            guard.stop_seconds,
            guard.resume_seconds,
        )


def _graphics(settings: SharingSettings) -> Iterator[Guard]:
    guard = settings.guards.gpu
    if guard is not None:
        yield Guard(
            "gpu_busy",
            lambda now: (
                "stop"
                if _card_is_full(now)
                else _load(now.other_gpu_percent, guard.stop, guard.resume)
            ),
            lambda now: now.other_gpu_percent,
            guard.stop_seconds,
            guard.resume_seconds,
        )


def _heat(settings: SharingSettings) -> Iterator[Guard]:
    guard = settings.guards.gpu_temperature
    if guard is not None:
        yield Guard(
            "too_hot",
            lambda now: _heat_level(now.gpu_celsius, guard.stop, guard.resume),
            lambda now: now.gpu_celsius,
            hand_off="at_once",
        )


def _memory(settings: SharingSettings) -> Iterator[Guard]:
    guard = settings.guards.memory
    if guard is None:
        return
    gib, percent = guard.least_gib, guard.least_percent

    def level(now: Readings) -> Level | None:
        if now.memory_available is None or now.memory_total is None:
            return None
        least = max(gib * _GIB, now.memory_total * percent / 100)
        if now.memory_available < least:
            return "stop"
        return "clear" if now.memory_available >= least * _MEMORY_MARGIN else "between"

    yield Guard(
        "low_memory",
        level,
        lambda now: None if now.memory_available is None else float(now.memory_available),
        resume_seconds=guard.resume_seconds,
    )


def _stop_if(condition: bool) -> Level:
    return "stop" if condition else "clear"


def _quiet(seconds: float | None, stop: float, resume: float) -> Level | None:
    if seconds is None:
        return None
    if seconds < stop:
        return "stop"
    return "clear" if seconds >= resume else "between"


def _left(seconds: float | None, resume: float) -> float | None:
    return None if seconds is None else max(0.0, resume - seconds)


def _load(percent: float | None, stop: float, resume: float) -> Level | None:
    if percent is None:
        return None
    if percent > stop:
        return "stop"
    return "clear" if percent < resume else "between"


def _heat_level(celsius: float | None, stop: float, resume: float) -> Level | None:
    if celsius is None:
        return None
    if celsius >= stop:
        return "stop"
    return "clear" if celsius <= resume else "between"


def _card_is_full(now: Readings) -> bool:
    if now.gpu_memory_free is None or now.gpu_memory_total is None:
        return False
    fits = now.gpu_memory_needed <= now.gpu_memory_total * _WHOLE_CARD
    return fits and now.gpu_memory_free < now.gpu_memory_needed
