"""Whose work the machine does: the programs that run, and the load of each."""

import os
import socket
from dataclasses import replace

import pytest

from idleclaw_tui.signals import host
from idleclaw_tui.signals.host import Processor
from idleclaw_tui.signals.processes import Processes, Running, listener, running_processes
from idleclaw_tui.signals.sample import NOTHING
from tests.sharing.fake_processes import OWN, PROCESSES, Turning, processes


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
