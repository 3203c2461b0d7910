"""How long nobody touched keyboard or mouse: the first of the system's sources that can tell.

A desktop is asked through its session bus (GNOME, KDE), X11 through `xprintidle`, logind as the
last resort; macOS through `ioreg`, Windows through `GetLastInputInfo`. People on terminals, SSH's
among them, are found by when their terminal was last read. X11's figure is never used under
Wayland, where it knows only the windows of XWayland.
"""

import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from idleclaw_tui.owner.signals import commands
from idleclaw_tui.owner.signals.sample import Signals
from idleclaw_tui.owner.signals.sampler import Paced

Run = Callable[[Sequence[str]], str | None]
Source = Callable[[], float | None]
"""Returns the seconds without input, None where it cannot tell."""

READ_SECONDS: Final = 3.0
RETRY_SECONDS: Final = 60.0
TERMINALS: Final = ("/dev/pts/[0-9]*", "/dev/tty[1-9]*", "/dev/ttys[0-9]*")

_MUTTER: Final = "org.gnome.Mutter.IdleMonitor"
_KDE: Final = "org.freedesktop.ScreenSaver"


class InputIdle:
    """Reads `input_idle_seconds`: the shortest of the desktop's and the terminals' figures.

    Of the `desktop` sources the first that answers is kept; where none does, all are tried again
    once a minute.
    """

    def __init__(
        self,
        desktop: Sequence[Source],
        terminals: Source,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desktop = tuple(desktop)
        self._chosen: Source | None = None
        self._try_at = float("-inf")
        self._clock = clock
        self._paced = Paced(self._ask_desktop, READ_SECONDS, grows=True, clock=clock)
        self._terminals = terminals

    def __call__(self, signals: Signals) -> Signals:
        """Fill the signal in."""
        known = [v for v in (self._paced.value(), self._terminals()) if v is not None]
        return replace(signals, input_idle_seconds=min(known, default=None))

    def _ask_desktop(self) -> float | None:
        if self._chosen is not None:
            idle = self._chosen()
            if idle is not None:
                return idle
            self._chosen = None
        if self._clock() < self._try_at:
            return None
        for source in self._desktop:
            idle = source()
            if idle is not None:
                self._chosen = source
                return idle
        self._try_at = self._clock() + RETRY_SECONDS
        return None


def input_idle(environ: Mapping[str, str], run: Run = commands.output) -> InputIdle:
    """Return the reader for this system."""
    return InputIdle(desktop_sources(sys.platform, environ, run), terminal_idle)


def desktop_sources(platform: str, environ: Mapping[str, str], run: Run) -> list[Source]:
    """Return the sources that may be asked on `platform` (a `sys.platform`), best first."""
    if platform == "win32":
        return [_windows_idle]
    if platform == "darwin":
        return [lambda: hid_idle(run(("ioreg", "-c", "IOHIDSystem", "-d", "4")) or "")]
    sources: list[Source] = []
    if environ.get("DBUS_SESSION_BUS_ADDRESS"):
        sources += [
            lambda: _milliseconds(run(_bus(_MUTTER, "/org/gnome/Mutter/IdleMonitor/Core",
                                           f"{_MUTTER}.GetIdletime"))),
            lambda: _milliseconds(run(_bus(_KDE, "/ScreenSaver", f"{_KDE}.GetSessionIdleTime"))),
        ]  # fmt: skip
    if environ.get("DISPLAY") and environ.get("XDG_SESSION_TYPE") != "wayland":
        sources.append(lambda: _milliseconds(run(("xprintidle",))))
    return [*sources, lambda: logind_idle(_session(run), time.time())]


def terminal_idle(
    patterns: Iterable[str] = TERMINALS, now: Callable[[], float] = time.time
) -> float | None:
    """Return the seconds since a program last read from a terminal, None where there are none."""
    read_at: list[float] = []
    for pattern in patterns:
        for terminal in Path("/").glob(pattern.lstrip("/")):
            try:
                read_at.append(terminal.stat().st_atime)
            except OSError:  # It was closed in between.
                continue
    return max(0.0, now() - max(read_at)) if read_at else None


def has_desktop(platform: str, environ: Mapping[str, str], run: Run = commands.output) -> bool:
    """Whether somebody may sit in front of this machine, going by its graphical sessions."""
    if platform in ("win32", "darwin"):
        return True
    if environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY"):
        return True
    return _property(_session(run), "Type") in ("x11", "wayland", "mir")


def bus_number(answer: str) -> float | None:
    """Return the number in an answer of `gdbus call` or `xprintidle`: "(uint64 1234,)", "1234"."""
    match = re.fullmatch(r"\(?(?:u?int(?:32|64)\s+)?(\d{1,18}),?\)?", answer.strip(), re.ASCII)
    return float(match[1]) if match else None


def hid_idle(listing: str) -> float | None:
    """Return the seconds in `HIDIdleTime` (ns) of macOS's `ioreg`."""
    match = re.search(r'"HIDIdleTime"\s*=\s*(\d{1,20})\b', listing, re.ASCII)
    return int(match[1]) / 1e9 if match else None


def logind_idle(properties: str, now: float) -> float | None:
    """Return the seconds since logind's hint that the session is idle.

    A session that was never idle may belong to a desktop that gives no hints: nothing is known.
    Source: org.freedesktop.login1(5), IdleHint and IdleSinceHint (microseconds since the epoch).
    """
    since = _property(properties, "IdleSinceHint") or ""
    if not since.isascii() or not since.isdecimal() or not int(since[:20]):
        return None
    if _property(properties, "IdleHint") != "yes":
        return 0.0
    return max(0.0, now - int(since[:20]) / 1e6)


def _milliseconds(answer: str | None) -> float | None:
    number = None if answer is None else bus_number(answer)
    return None if number is None else number / 1000


def _bus(destination: str, path: str, method: str) -> tuple[str, ...]:
    return ("gdbus", "call", "--session", "--timeout", "1", "-d", destination, "-o", path,
            "-m", method)  # fmt: skip


def _session(run: Run) -> str:
    """Return logind's properties of the session at this machine's own screen."""
    active = _property(run(("loginctl", "show-seat", "seat0", "-p", "ActiveSession")) or "",
                       "ActiveSession")  # fmt: skip
    if not active or not active.isalnum():
        return ""
    wanted = ("-p", "IdleHint", "-p", "IdleSinceHint", "-p", "Type")
    return run(("loginctl", "show-session", active, *wanted)) or ""


def _property(properties: str, name: str) -> str | None:
    for line in properties.splitlines():
        key, _, value = line.partition("=")
        if key == name:
            return value.strip()
    return None


def _windows_idle() -> float | None:
    """Return the seconds since the last input of this session, by `GetLastInputInfo`."""
    if sys.platform != "win32":
        return None
    import ctypes

    class LastInput(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("tick", ctypes.c_uint))

    last = LastInput(ctypes.sizeof(LastInput), 0)
    if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(last)):
        return None
    # Both counts are milliseconds modulo 2^32.
    return ((ctypes.windll.kernel32.GetTickCount() - last.tick) % 2**32) / 1000
