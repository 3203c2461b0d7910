"""The readers: what they make of the machine, and that none of them can hurt the node."""

import logging
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest

from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.signals import catalogue, host
from idleclaw_tui.signals.processes import Processes
from idleclaw_tui.signals.sample import NOTHING, Reader, Signals
from idleclaw_tui.signals.sampler import STALE_SECONDS, Sampler
from tests.sharing.fake_processes import PROCESSES, Turning


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (None, False),
        (SimpleNamespace(power_plugged=True), False),
        (SimpleNamespace(power_plugged=False), True),
        (SimpleNamespace(power_plugged=None), None),
    ],
)
def test_power(
    monkeypatch: pytest.MonkeyPatch, battery: SimpleNamespace | None, expected: bool | None
) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert host.power(NOTHING).on_battery is expected


def test_a_system_without_sensors_knows_nothing_of_its_battery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert host.power(NOTHING) == NOTHING


def test_a_reader_that_fails_leaves_the_others_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: Signals) -> Signals:
        raise ValueError("mute".upper())

    sampler = Sampler([broken, lambda s: replace(s, gpu_percent=5.0)])
    with caplog.at_level(logging.DEBUG):
        assert sampler.sample() == replace(NOTHING, gpu_percent=5.0)
        sampler.sample()
    assert len(caplog.records) == 1
    assert "MUTE" not in caplog.text


def test_samples_come_from_a_thread_of_their_own_again_and_again() -> None:
    threads: set[int] = set()
    enough = threading.Event()

    def reader(signals: Signals) -> Signals:
        threads.add(threading.get_ident())
        if sampler.latest() is not None:
            enough.set()
        return replace(signals, gpu_percent=1.0)

    sampler = Sampler([reader], interval=0.001)
    assert sampler.latest() is None
    with sampler:
        assert enough.wait(10)
    assert sampler.latest() == replace(NOTHING, gpu_percent=1.0)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_reader_that_hangs_makes_everything_unknown() -> None:
    turning = Turning()
    hangs = threading.Event()
    hung, sampled = threading.Event(), threading.Event()

    def reader(signals: Signals) -> Signals:
        if sampled.is_set():
            hung.set()
            hangs.wait(30)
        sampled.set()
        return replace(signals, gpu_percent=1.0)

    with Sampler([reader], interval=0.001, clock=turning.clock) as sampler:
        assert hung.wait(10)
        turning.now = STALE_SECONDS
        assert sampler.latest() == replace(NOTHING, gpu_percent=1.0)
        turning.now += 1
        assert sampler.latest() == NOTHING
        hangs.set()


def test_a_hanging_reader_does_not_keep_the_process() -> None:
    code = """
import threading
from idleclaw_tui.signals.sampler import Sampler
began = threading.Event()
def hang(signals):
    began.set()
    threading.Event().wait()
with Sampler([hang]):
    began.wait()
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_all_readers_of_this_machine_can_be_read() -> None:
    found: list[Reader] = catalogue.readers(Processes(["doom"]))
    signals = Sampler(found).sample()
    assert signals.exclusive_app == ""
    assert signals.memory_total


def test_this_machine_is_read_until_the_end() -> None:
    with catalogue.MachineSignals("http://127.0.0.1:11434") as machine:
        machine.wait(30)
        assert machine.latest() is not None
        machine.watch_for(["doom"])


def test_other_exclusive_programs_can_be_looked_for() -> None:
    turning = Turning()
    looked = Processes(["quake"], scan=lambda: PROCESSES, clock=turning.clock)
    assert looked(NOTHING).exclusive_app == ""
    looked.watch_for(["doom"])
    turning.now += 10
    assert looked(NOTHING).exclusive_app == "doom"


@pytest.mark.parametrize(
    ("desktop", "settings", "mode"),
    [
        (True, SharingSettings(), "idle"),
        (False, SharingSettings(), "always"),
        (False, SharingSettings(mode="idle"), "idle"),
        (True, SharingSettings(mode="manual"), "manual"),
    ],
)
def test_the_mode_follows_the_machine_unless_chosen(
    desktop: bool, settings: SharingSettings, mode: str
) -> None:
    assert settings.mode_on(desktop) == mode
