"""The readers: what they make of the machine, and that none of them can hurt the node."""

import logging
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.signals import catalogue, host
from idleclaw_tui.signals.graphics import Amd, Apple, Nvidia
from idleclaw_tui.signals.host import Processor
from idleclaw_tui.signals.processes import Processes, Running, listener, running_processes
from idleclaw_tui.signals.sample import NOTHING, Reader, Signals
from idleclaw_tui.signals.sampler import STALE_SECONDS, Sampler
from tests.sharing.fake_nvml import Card, FakeNvml

OWN = 10
PROCESSES = [
    Running(1, 0, "init"),
    Running(OWN, 1, "idleclaw-tui"),
    Running(11, OWN, "gdbus"),
    Running(20, 1, "ollama"),
    Running(21, 20, "llama-server"),
    Running(22, 21, "helper"),
    Running(30, 1, "doom"),
]


class Turning:
    """A clock and processor times that a test turns forward."""

    def __init__(self) -> None:
        self.now = 0.0
        self.busy = 0.0
        self.total = 0.0
        self.used: dict[int, float] = {}

    def clock(self) -> float:
        return self.now

    def machine(self) -> tuple[float, float]:
        return self.busy, self.total

    def process(self, pid: int) -> float | None:
        return self.used.get(pid)


def processes(*exclusive: str, found: list[Running] | None = None) -> Processes:
    return Processes(exclusive, scan=lambda: found or PROCESSES, own_pid=OWN)


def test_ollama_and_ourselves_are_found_with_what_they_started() -> None:
    looked = processes()
    looked(NOTHING)
    assert looked.ollama == {20, 21, 22}
    assert looked.own == {OWN, 11}


@pytest.mark.parametrize("app", ["doom", "DOOM", "Doom.exe"])
def test_an_exclusive_program_is_found_by_its_name(app: str) -> None:
    assert processes(app)(NOTHING).exclusive_app == app
    assert processes("quake")(NOTHING).exclusive_app == ""


def test_an_ollama_of_another_name_is_what_listens_on_its_port() -> None:
    asked: list[int] = []

    def listens(port: int) -> int | None:
        asked.append(port)
        return 30

    looked = Processes((), 11434, scan=lambda: PROCESSES[-1:], listener=listens, own_pid=OWN)
    looked(NOTHING)
    assert looked.ollama == {30}
    assert asked == [11434]
    Processes((), 11434, scan=lambda: PROCESSES, listener=listens, own_pid=OWN)(NOTHING)
    assert asked == [11434]


def test_this_process_is_found_listening() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listener(server.getsockname()[1]) == os.getpid()
    assert listener(1) is None


def test_this_process_is_among_those_that_run() -> None:
    assert os.getpid() in {process.pid for process in running_processes()}


def test_processes_are_looked_at_every_ten_seconds() -> None:
    turning = Turning()
    scans: list[int] = []

    def scan() -> list[Running]:
        scans.append(1)
        return PROCESSES

    looked = Processes((), scan=scan, clock=turning.clock)
    for turning.now in range(21):
        looked(NOTHING)
    assert len(scans) == 3


def test_the_load_of_others_leaves_out_ollama_and_ourselves() -> None:
    turning = Turning()
    looked = processes()
    looked(NOTHING)
    reader = Processor(
        looked, machine=turning.machine, process=turning.process, clock=turning.clock
    )
    turning.used = {20: 100.0, 21: 5.0, OWN: 3.0}
    assert reader(NOTHING) == NOTHING
    turning.now, turning.busy, turning.total = 1.0, 3.0, 4.0
    turning.used = {20: 100.5, 21: 6.0, 22: 50.0, OWN: 3.1}
    signals = reader(NOTHING)
    assert signals.other_cpu_percent == pytest.approx(100 * (3.0 - 1.5 - 0.1) / 4.0)
    assert signals.ollama_cpu_percent == pytest.approx(150.0)


def test_without_ollamas_processes_its_load_is_unknown() -> None:
    turning = Turning()
    looked = processes(found=PROCESSES[:3])
    looked(NOTHING)
    reader = Processor(
        looked, machine=turning.machine, process=turning.process, clock=turning.clock
    )
    reader(NOTHING)
    turning.now, turning.busy, turning.total = 1.0, 1.0, 4.0
    assert reader(NOTHING) == replace(NOTHING, other_cpu_percent=25.0)


def test_readings_too_close_together_tell_nothing() -> None:
    turning = Turning()
    reader = Processor(processes(), machine=turning.machine, clock=turning.clock)
    reader(NOTHING)
    turning.now, turning.total = 0.05, 0.1
    assert reader(NOTHING).other_cpu_percent is None


def test_the_real_machine_adds_up() -> None:
    busy, total = host.machine_seconds()
    assert 0 < busy < total
    assert (host.cpu_seconds(os.getpid()) or 0) > 0
    assert host.cpu_seconds(2**22 + 1) is None
    signals = host.memory(NOTHING)
    assert 0 < (signals.memory_available or 0) <= (signals.memory_total or 0)


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


def nvidia(nvml: FakeNvml) -> Nvidia:
    looked = processes()
    looked(NOTHING)
    return Nvidia(nvml, looked)


def test_nvidia_tells_programs_apart() -> None:
    nvml = FakeNvml(Card(load=97, heat=71, processes={20: 90, 30: 7, OWN: 2}))
    signals = nvidia(nvml)(NOTHING)
    assert signals.gpu_percent == 97
    assert signals.other_gpu_percent == 7
    assert signals.gpu_celsius == 71


def test_nvidia_asks_for_what_is_new() -> None:
    nvml = FakeNvml(Card(processes={30: 50}))
    reader = nvidia(nvml)
    reader(NOTHING)
    reader(NOTHING)
    assert nvml.asked_since == [0, 100]
    nvml.cards[0].processes.clear()
    assert reader(NOTHING).other_gpu_percent == 0


def test_of_several_cards_the_hottest_the_busiest_and_the_roomiest_count() -> None:
    nvml = FakeNvml(Card(load=5, heat=80, free=1), Card(load=60, heat=50, free=7, total=9))
    signals = nvidia(nvml)(NOTHING)
    assert (signals.gpu_percent, signals.gpu_celsius) == (60, 80)
    assert (signals.gpu_memory_free, signals.gpu_memory_total) == (7, 9)


@pytest.mark.parametrize("call", ["load", "heat", "memory", "processes"])
def test_what_a_driver_refuses_is_unknown(call: str) -> None:
    nvml = FakeNvml(Card(load=50))
    nvml.refuses = {call}
    signals = nvidia(nvml)(NOTHING)
    unknown = {
        "load": signals.gpu_percent,
        "heat": signals.gpu_celsius,
        "memory": signals.gpu_memory_free,
        "processes": signals.other_gpu_percent,
    }
    assert [name for name, value in unknown.items() if value is None] == [call]


def test_no_driver_and_no_card_are_no_reader() -> None:
    without_driver = FakeNvml(Card())
    without_driver.refuses = {"init"}
    for nvml in (without_driver, FakeNvml()):
        with pytest.raises(ImportError):
            nvidia(nvml)


def amd_card(root: Path, name: str, **files: str) -> None:
    for file, content in files.items():
        path = root / name / "device" / file.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")


def test_amd_tells_by_files(tmp_path: Path) -> None:
    amd_card(tmp_path, "card0", vendor="0x8086")
    amd_card(
        tmp_path,
        "card1",
        gpu_busy_percent="37",
        mem_info_vram_total="1000",
        mem_info_vram_used="400",
        hwmon__hwmon3__temp1_input="64500",
    )
    assert Amd(tmp_path)(NOTHING) == replace(
        NOTHING, gpu_percent=37.0, gpu_celsius=64.5, gpu_memory_free=600, gpu_memory_total=1000
    )


def test_amd_files_that_say_nothing_are_unknown(tmp_path: Path) -> None:
    amd_card(tmp_path, "card0", gpu_busy_percent="N/A")
    assert Amd(tmp_path)(NOTHING) == NOTHING
    with pytest.raises(ImportError):
        Amd(tmp_path / "none")


def test_apple_tells_in_its_registry() -> None:
    listing = '"PerformanceStatistics" = {"Device Utilization %"=42,"Renderer Utilization %"=7}'
    assert Apple(lambda _: listing)(NOTHING).gpu_percent == 42
    assert Apple(lambda _: None)(NOTHING).gpu_percent is None


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
