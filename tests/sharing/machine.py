"""A machine for tests of the policy: readings that a test changes, and a clock that it turns."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from idleclaw_tui.owner.policy import SharingPolicy, Standing
from idleclaw_tui.owner.readings import Readings
from idleclaw_tui.owner.settings import Mode, SharingSettings

GIB = 1024**3
MONDAY = datetime(2026, 11, 23)

QUIET = Readings(
    local_time=MONDAY,
    on_battery=False,
    input_idle_seconds=3600.0,
    owner_idle_seconds=float("inf"),
    exclusive_app="",
    other_cpu_percent=3.0,
    gpu_percent=0.0,
    other_gpu_percent=0.0,
    gpu_celsius=40.0,
    gpu_memory_free=8 * GIB,
    gpu_memory_total=8 * GIB,
    memory_available=12 * GIB,
    memory_total=16 * GIB,
)
"""Nobody is there, and nothing runs."""

NOTHING_KNOWN = Readings(local_time=MONDAY)


class Machine:
    """Feeds the policy a reading a second; `set` changes what the next readings say."""

    def __init__(
        self,
        settings: SharingSettings | None = None,
        mode: Mode = "always",
        *,
        readings: Readings = QUIET,
        uniform: Callable[[float, float], float] = lambda low, high: low,
    ) -> None:
        self.policy = SharingPolicy(settings or SharingSettings(), mode, uniform)
        self.readings = readings
        self.running = 0
        self.now = 1000.0

    def set(self, **changes: Any) -> None:
        self.readings = replace(self.readings, **changes)

    def look(self) -> Standing:
        return self.policy.step(self.readings, self.now, self.running)

    def wait(self, seconds: float, step: float = 1.0) -> Standing:
        """Look every `step` seconds until `seconds` have gone by."""
        end = self.now + seconds
        while self.now < end:
            self.now += step
            self.set(local_time=self.readings.local_time + timedelta(seconds=step))
            if self.readings.input_idle_seconds is not None:
                self.set(input_idle_seconds=self.readings.input_idle_seconds + step)
            if self.readings.owner_idle_seconds is not None:
                self.set(owner_idle_seconds=self.readings.owner_idle_seconds + step)
            standing = self.look()
        return standing

    def seconds_until_serving(self, within: float = 4000) -> float:
        start = self.now
        while not self.wait(1).serves:
            assert self.now - start < within, "it never goes on"
        return self.now - start
