"""How long nobody touched the machine, by the words of each system's own programs."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.owner.signals import commands
from idleclaw_tui.owner.signals.input_idle import (
    InputIdle,
    bus_number,
    desktop_sources,
    has_desktop,
    hid_idle,
    logind_idle,
    terminal_idle,
)
from idleclaw_tui.owner.signals.sample import NOTHING

NOW = 1_800_000_000.0
BUS = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus"}
X11 = {"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"}
WAYLAND = {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "wayland"}


class System:
    """Answers programs by a word that their command line holds; what it does not know is absent."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, command: Sequence[str]) -> str | None:
        line = " ".join(command)
        self.asked.append(line)
        return next((text for word, text in self.answers.items() if word in line), None)


def seat(active: str, session: str) -> System:
    """A machine whose own screen shows the session `active`."""
    return System(**{"show-seat": f"ActiveSession={active}\n", "show-session": session})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def first(platform: str, environ: dict[str, str], system: System) -> float | None:
    idle = (source() for source in desktop_sources(platform, environ, system))
    return next((seconds for seconds in idle if seconds is not None), None)


def test_gnome_is_asked_first() -> None:
    system = System(Mutter="(uint64 61234,)\n", ScreenSaver="(uint32 1,)", xprintidle="1")
    assert first("linux", BUS | X11, system) == 61.234


def test_kde_is_asked_where_gnome_is_not() -> None:
    assert first("linux", BUS | WAYLAND, System(ScreenSaver="(uint32 5000,)")) == 5.0


def test_x11_is_asked_without_a_desktop() -> None:
    assert first("linux", X11, System(xprintidle="90500\n")) == 90.5


def test_x11_is_never_believed_under_wayland() -> None:
    system = System(xprintidle="90500")
    assert first("linux", WAYLAND, system) is None
    assert "xprintidle" not in " ".join(system.asked)


def test_logind_is_the_last_resort() -> None:
    session = f"IdleHint=yes\nIdleSinceHint={int((time.time() - 1000) * 1e6)}\n"
    assert first("linux", {}, seat("c2", session)) == pytest.approx(1000, abs=60)


@pytest.mark.parametrize(
    ("properties", "idle"),
    [
        (f"IdleHint=yes\nIdleSinceHint={int((NOW - 120) * 1e6)}\nType=x11", 120.0),
        (f"IdleHint=no\nIdleSinceHint={int((NOW - 120) * 1e6)}", 0.0),
        ("IdleHint=no\nIdleSinceHint=0", None),
        ("IdleHint=yes\nIdleSinceHint=soon", None),
        ("IdleHint=yes\nIdleSinceHint=\uff11\uff12", None),
        (f"IdleHint=yes\nIdleSinceHint={int((NOW + 5) * 1e6)}", 0.0),
        ("", None),
    ],
)
def test_logind_is_believed_only_where_it_gives_hints(properties: str, idle: float | None) -> None:
    assert logind_idle(properties, NOW) == idle


def test_macos_tells_in_nanoseconds() -> None:
    listing = '    | |   "HIDIdleTime" = 12500000000\n    | |   "HIDServiceSupport" = Yes'
    assert first("darwin", {}, System(IOHIDSystem=listing)) == 12.5
    assert hid_idle("nothing") is None


@pytest.mark.parametrize("answer", ["", "()", "(uint64 ,)", "Error: 5", "-5", "(uint64 1,) x"])
def test_other_answers_are_no_numbers(answer: str) -> None:
    assert bus_number(answer) is None


@given(st.text())
def test_no_answer_makes_reading_it_fail(answer: str) -> None:
    bus_number(answer)
    hid_idle(answer)
    logind_idle(answer, NOW)


@pytest.mark.skipif(sys.platform == "win32", reason="asks Windows itself")
def test_windows_cannot_be_asked_elsewhere() -> None:
    assert first("win32", {}, System()) is None


def test_the_shortest_figure_counts() -> None:
    reader = InputIdle([lambda: 500.0], lambda: 20.0)
    assert reader(NOTHING).input_idle_seconds == 20.0
    assert InputIdle([lambda: None], lambda: None)(NOTHING).input_idle_seconds is None


def test_a_source_that_answers_is_kept_and_the_figure_grows_between() -> None:
    clock = Clock()
    asked: list[str] = []

    def silent() -> float | None:
        asked.append("silent")
        return None

    def talkative() -> float | None:
        asked.append("talkative")
        return 7.0

    reader = InputIdle([silent, talkative], lambda: None, clock=clock)
    assert reader(NOTHING).input_idle_seconds == 7.0
    clock.now = 2.0
    assert reader(NOTHING).input_idle_seconds == 9.0
    clock.now = 3.0
    assert reader(NOTHING).input_idle_seconds == 7.0
    assert asked == ["silent", "talkative", "talkative"]


def test_where_nobody_answers_all_are_asked_once_a_minute() -> None:
    clock = Clock()
    system = System()
    sources = desktop_sources("linux", BUS | X11, system)
    reader = InputIdle(sources, lambda: None, clock=clock)
    for _ in range(59):
        reader(NOTHING)
        clock.now += 1
    assert len(system.asked) == 4
    clock.now += 3
    reader(NOTHING)
    assert len(system.asked) == 8


def test_terminals_tell_when_they_were_last_read(tmp_path: Path) -> None:
    for name, read_at in (("1", NOW - 500), ("2", NOW - 40)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (read_at, 0))
    assert terminal_idle([f"{tmp_path}/[0-9]*"], lambda: NOW) == 40
    assert terminal_idle([f"{tmp_path}/none*"], lambda: NOW) is None


@pytest.mark.parametrize(
    ("platform", "environ", "system", "desktop"),
    [
        ("darwin", {}, System(), True),
        ("win32", {}, System(), True),
        ("linux", WAYLAND, System(), True),
        ("linux", {"DISPLAY": ":1"}, System(), True),
        ("linux", {"XDG_SESSION_TYPE": "tty"}, System(), False),
        ("linux", {}, seat("", "Type=x11"), False),
        ("linux", {}, seat("2", "Type=tty"), False),
        ("linux", {}, seat("2", "Type=wayland"), True),
        ("linux", {}, seat("--x", "Type=x11"), False),
    ],
    ids=range(9),
)
def test_a_desktop_is_where_somebody_may_sit(
    platform: str, environ: dict[str, str], system: System, desktop: bool
) -> None:
    assert has_desktop(platform, environ, system) is desktop


def test_programs_are_asked_with_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; sys.stdout.write('x' * 2_000_000)"
    assert commands.output([sys.executable, "-c", "print('42')"]) == f"42{os.linesep}"
    assert commands.output([sys.executable, "-c", "raise SystemExit(1)"]) is None
    assert commands.output(["no-such-program-here"]) is None
    assert len(commands.output([sys.executable, "-c", code]) or "") == commands.MAX_OUTPUT_CHARS
    monkeypatch.setattr(commands, "TIMEOUT_SECONDS", 0.2)
    assert commands.output([sys.executable, "-c", "import time; time.sleep(60)"]) is None
