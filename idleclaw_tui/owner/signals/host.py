"""The machine itself: power, memory, and whose work its processors do."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import psutil

from idleclaw_tui.owner.signals.processes import Processes
from idleclaw_tui.owner.signals.sample import Signals


def power(signals: Signals) -> Signals:
    """Fill in `on_battery`: a machine without a battery is on mains."""
    sensors = getattr(psutil, "sensors_battery", None)
    if sensors is None:
        return signals
    battery = sensors()
    if battery is None:
        return replace(signals, on_battery=False)
    plugged = battery.power_plugged
    return replace(signals, on_battery=None if plugged is None else not plugged)


def memory(signals: Signals) -> Signals:
    """Fill in what can be had without swapping, and all there is."""
    memory = psutil.virtual_memory()
    return replace(signals, memory_available=memory.available, memory_total=memory.total)


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used, None where it cannot be told."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return times.user + times.system


def machine_seconds() -> tuple[float, float]:
    """Return the processors' time since the start: doing something, and all of it."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Time of guests is counted in user and nice already.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    total = sum(times) - guests
    return total - idle, total


class Processor:
    """Reads the load of other programs and of Ollama, since the reading before.

    The first reading, and one after less than a tenth of a second, tells nothing.
    """

    def __init__(
        self,
        processes: Processes,
        *,
        machine: Callable[[], tuple[float, float]] = machine_seconds,
        process: Callable[[int], float | None] = cpu_seconds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._processes = processes
        self._machine = machine
        self._process = process
        self._clock = clock
        self._before: tuple[float, float, float] | None = None
        self._used: dict[int, float] = {}

    def __call__(self, signals: Signals) -> Signals:
        """Fill the signals in."""
        now, (busy, total) = self._clock(), self._machine()
        before, self._before = self._before, (now, busy, total)
        used = self._used
        self._used = self._look({*self._processes.ollama, *self._processes.own})
        if before is None or now - before[0] < 0.1 or total <= before[2]:
            return signals
        ollama = self._since(used, self._processes.ollama)
        own = self._since(used, self._processes.own)
        others = max(0.0, busy - before[1] - ollama - own)
        return replace(
            signals,
            other_cpu_percent=min(100.0, 100 * others / (total - before[2])),
            ollama_cpu_percent=(
                100 * ollama / (now - before[0]) if self._processes.ollama else None
            ),
        )

    def _look(self, pids: Iterable[int]) -> dict[int, float]:
        found = {pid: self._process(pid) for pid in pids}
        return {pid: seconds for pid, seconds in found.items() if seconds is not None}

    def _since(self, before: dict[int, float], pids: Iterable[int]) -> float:
        """Return the time used since `before`, of processes that were there then."""
        now = self._used
        return sum(max(0.0, now[p] - before[p]) for p in pids if p in now and p in before)
