"""The thresholds of the guards as fields of a form; where sharing resumes follows from them."""

from typing import Final

from idleclaw_tui.owner.settings import (
    GuardSettings,
    HeatGuard,
    LoadGuard,
    MemoryGuard,
    QuietGuard,
    SharingSettings,
)
from idleclaw_tui.sharing.limit_entries import BadEntry, LimitField, Values, whole_number

_OFF: Final = "off"
_USUAL: Final = GuardSettings()


def _percent(key: str, label: str) -> LimitField:
    """Return a field for a guard over a load; it resumes at half of where it stops."""
    number = whole_number(1, 100, empty="never")

    def show(settings: SharingSettings) -> str:
        guard: LoadGuard | None = getattr(settings.guards, key)
        return "" if guard is None else f"{guard.stop:g}"

    def read(settings: SharingSettings, text: str) -> Values:
        stop = number(text)
        if stop is None:
            return {key: None}
        guard: LoadGuard = getattr(settings.guards, key) or getattr(_USUAL, key)
        resume = guard.resume if guard.resume < stop else stop / 2
        return {key: guard.model_dump() | {"stop": stop, "resume": resume}}

    return LimitField(key, label, "percent", show, read, guards=True, empty=_OFF)


def _keyboard(settings: SharingSettings, text: str) -> Values:
    seconds = whole_number(1, 86_400, empty="never")(text)
    if seconds is None:
        return {"keyboard": None}
    guard = settings.guards.keyboard or QuietGuard()
    stop = min(guard.stop_seconds, seconds)
    return {"keyboard": {"stop_seconds": stop, "resume_seconds": seconds}}


def _heat(settings: SharingSettings, text: str) -> Values:
    degrees = whole_number(30, 150, empty="never")(text)
    if degrees is None:
        return {"gpu_temperature": None}
    guard = settings.guards.gpu_temperature or HeatGuard()
    resume = guard.resume if guard.resume < degrees else degrees - 10
    return {"gpu_temperature": {"stop": degrees, "resume": resume}}


def _memory(settings: SharingSettings, text: str) -> Values:
    said = "A number of GiB from 0 to 4,096, or nothing for never."
    if not text:
        return {"memory": None}
    try:
        gib = float(text)
    except ValueError:
        raise BadEntry(said) from None
    if not 0 <= gib <= 4096:
        raise BadEntry(said)
    guard = settings.guards.memory or MemoryGuard()
    return {"memory": guard.model_dump() | {"least_gib": gib}}


def _shown_keyboard(settings: SharingSettings) -> str:
    guard = settings.guards.keyboard
    return "" if guard is None else f"{guard.resume_seconds:g}"


def _shown_owner(settings: SharingSettings) -> str:
    seconds = settings.guards.owner_pause_seconds
    return "" if seconds is None else f"{seconds:g}"


def _shown_heat(settings: SharingSettings) -> str:
    guard = settings.guards.gpu_temperature
    return "" if guard is None else f"{guard.stop:g}"


def _shown_memory(settings: SharingSettings) -> str:
    guard = settings.guards.memory
    return "" if guard is None else f"{guard.least_gib:g}"


def _battery(_: SharingSettings, text: str) -> Values:
    return {"battery": text == "stop"}


GUARD_FIELDS: Final = (
    LimitField(
        "battery",
        "on battery",
        "",
        lambda settings: "stop" if settings.guards.battery else "go on",
        _battery,
        options=(("stop", "stop"), ("go on", "go on")),
        guards=True,
    ),
    LimitField(
        "keyboard",
        "keyboard quiet for",
        "seconds",
        _shown_keyboard,
        _keyboard,
        guards=True,
        empty=_OFF,
    ),
    LimitField(
        "owner_pause_seconds",
        "after my own chats",
        "seconds",
        _shown_owner,
        lambda _, text: {"owner_pause_seconds": whole_number(0, 86_400, empty="no wait")(text)},
        guards=True,
        empty=_OFF,
    ),
    _percent("cpu", "stop at CPU load"),
    _percent("gpu", "stop at GPU load"),
    LimitField(
        "gpu_temperature", "stop at GPU heat", "°C", _shown_heat, _heat, guards=True, empty=_OFF
    ),
    LimitField(
        "memory",
        "keep free memory",
        "GiB",
        _shown_memory,
        _memory,
        guards=True,
        empty=_OFF,
    ),
)
