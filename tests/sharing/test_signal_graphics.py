"""What the graphics card tells, by its maker's way of telling it."""

from dataclasses import replace
from pathlib import Path

import pytest

from idleclaw_tui.signals.graphics import Amd, Apple, Nvidia
from idleclaw_tui.signals.sample import NOTHING
from tests.sharing.fake_nvml import Card, FakeNvml
from tests.sharing.fake_processes import OWN, processes


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
