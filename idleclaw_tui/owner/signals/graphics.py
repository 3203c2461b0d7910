"""What the graphics card does: NVIDIA by its driver (extra `gpu`), AMD on Linux, Apple."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from idleclaw_tui.owner.signals.processes import Processes
from idleclaw_tui.owner.signals.sample import Signals

AMD_CARDS: Final = Path("/sys/class/drm")
_PERCENT: Final = re.compile(r'"Device Utilization %"\s*=\s*(\d{1,3})\b', re.ASCII)


class Nvidia:
    """Reads every NVIDIA card through NVML and reports the busiest, hottest and emptiest of them.

    `nvml` is the module `pynvml`. Drivers that do not tell programs apart leave
    `other_gpu_percent` unknown. Raises `ImportError` where there is no usable driver.
    """

    def __init__(self, nvml: Any, processes: Processes) -> None:
        self._nvml = nvml
        self._processes = processes
        try:
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
            self._cards = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        except nvml.NVMLError:
            raise ImportError("no usable NVIDIA driver") from None
        if not self._cards:
            raise ImportError("no NVIDIA card")
        self._sampled_until = [0] * len(self._cards)

    def __call__(self, signals: Signals) -> Signals:
        """Fill the signals in."""
        nvml = self._nvml
        memory = [self._ask(nvml.nvmlDeviceGetMemoryInfo, card) for card in self._cards]
        roomiest = max((m for m in memory if m), key=lambda m: int(m.free), default=None)
        heat = nvml.NVML_TEMPERATURE_GPU
        return replace(
            signals,
            gpu_percent=_largest(self._load(card) for card in self._cards),
            other_gpu_percent=_largest(map(self._others, range(len(self._cards)))),
            gpu_celsius=_largest(
                self._ask(nvml.nvmlDeviceGetTemperature, card, heat) for card in self._cards
            ),
            gpu_memory_free=int(roomiest.free) if roomiest else None,
            gpu_memory_total=int(roomiest.total) if roomiest else None,
        )

    def _load(self, card: Any) -> float | None:
        rates = self._ask(self._nvml.nvmlDeviceGetUtilizationRates, card)
        return None if rates is None else float(rates.gpu)

    def _others(self, index: int) -> float | None:
        """Return the load by processes that are neither Ollama's nor our own."""
        nvml = self._nvml
        try:
            samples = nvml.nvmlDeviceGetProcessUtilization(
                self._cards[index], self._sampled_until[index]
            )
        except nvml.NVMLError as error:
            return 0.0 if error.value == nvml.NVML_ERROR_NOT_FOUND else None
        newest = {sample.pid: sample for sample in sorted(samples, key=lambda s: s.timeStamp)}
        until = (sample.timeStamp for sample in newest.values())
        self._sampled_until[index] = max(until, default=self._sampled_until[index])
        known = self._processes.ollama | self._processes.own
        load = sum(s.smUtil for pid, s in newest.items() if pid not in known and s.smUtil <= 100)
        return min(100.0, float(load))

    def _ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except self._nvml.NVMLError:
            return None


class Amd:
    """Reads the cards of the kernel's amdgpu driver below `root`.

    Source: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst of the Linux kernel.
    """

    def __init__(self, root: Path = AMD_CARDS) -> None:
        self._cards = sorted(
            card for card in root.glob("card*/device") if (card / "gpu_busy_percent").is_file()
        )
        if not self._cards:
            raise ImportError("no AMD card")

    def __call__(self, signals: Signals) -> Signals:
        """Fill the signals in."""
        card = max(self._cards, key=lambda card: _number(card / "mem_info_vram_total") or 0)
        total = _number(card / "mem_info_vram_total")
        used = _number(card / "mem_info_vram_used")
        heats = [_number(file) for c in self._cards for file in c.glob("hwmon/hwmon*/temp1_input")]
        return replace(
            signals,
            gpu_percent=_largest(_number(card / "gpu_busy_percent") for card in self._cards),
            gpu_celsius=_largest(heat / 1000 if heat is not None else None for heat in heats),
            gpu_memory_free=total - used if total is not None and used is not None else None,
            gpu_memory_total=total,
        )


class Apple:
    """Reads the load of Apple's graphics from `ioreg`."""

    def __init__(self, run: Callable[[tuple[str, ...]], str | None]) -> None:
        self._run = run

    def __call__(self, signals: Signals) -> Signals:
        """Fill the signal in."""
        listing = self._run(("ioreg", "-r", "-d1", "-c", "IOAccelerator")) or ""
        return replace(signals, gpu_percent=_largest(map(float, _PERCENT.findall(listing))))


def nvml_if_installed() -> Any:
    """Return the module of the extra `gpu`; raises `ImportError` where it is not installed."""
    import pynvml

    return pynvml


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _number(file: Path) -> int | None:
    try:
        text = file.read_text()[:32].strip()
    except OSError:
        return None
    return int(text) if text.isascii() and text.isdecimal() else None
