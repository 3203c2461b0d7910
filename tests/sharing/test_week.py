"""A week in the life of a machine, many times over: the owner always comes first."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from idleclaw_tui.owner.policy import SharingPolicy, Standing
from idleclaw_tui.owner.readings import Readings
from idleclaw_tui.owner.schedule import Window
from idleclaw_tui.owner.settings import Mode, SharingSettings
from tests.sharing.machine import GIB, MONDAY, QUIET

STEP = 10.0
WEEK = int(7 * 86_400 / STEP)
SETTINGS = SharingSettings(
    schedule=(Window.parse("sat-sun 0:00-24:00"), Window.parse("17:30-08:30")),
    tokens_a_day=40_000,
    exclusive_apps=("doom",),
)
QUIET_ENOUGH = 400.0
"""Seconds of nothing at all after which every guard has let go, dwell and jitter included."""


class Week:
    """Readings of a machine whose people, programs and sensors come and go by chance.

    Half of the time the machine is left alone, so that there is something to share.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._until: dict[str, float] = {}
        self._readings = QUIET

    def __iter__(self) -> Iterator[tuple[float, Readings]]:
        for number in range(WEEK):
            now = number * STEP
            yield now, self._next(now)

    def _lasts(self, what: str, now: float, often: float, seconds: float) -> bool:
        """Whether something goes on now: it begins with a chance `often` a step."""
        if now >= self._until.get(what, 0.0) and self._rng.random() < often:
            self._until[what] = now + self._rng.expovariate(1 / seconds)
        return now < self._until.get(what, 0.0)

    def _next(self, now: float) -> Readings:
        rng, before = self._rng, self._readings
        local_time = MONDAY + timedelta(seconds=now)
        alone = self._lasts("alone", now, 0.001, 4000)
        typing = not alone and self._lasts("typing", now, 0.002, 600)
        asking = not alone and self._lasts("asking", now, 0.0005, 60)
        load = 90.0 if not alone and self._lasts("load", now, 0.001, 60) else 5.0
        midnight = local_time.date() != before.local_time.date()
        readings = Readings(
            local_time=local_time,
            tokens_today=0 if midnight else before.tokens_today + rng.choice((0, 0, 10, 20)),
            on_battery=not alone and self._lasts("battery", now, 0.0005, 300),
            input_idle_seconds=0.0 if typing else (before.input_idle_seconds or 0.0) + STEP,
            owner_idle_seconds=0.0 if asking else (before.owner_idle_seconds or 0.0) + STEP,
            exclusive_app="doom" if not alone and self._lasts("game", now, 0.0002, 2000) else "",
            other_cpu_percent=load + rng.uniform(-5, 5),
            gpu_percent=0.0,
            other_gpu_percent=80.0 if not alone and self._lasts("gpu", now, 0.001, 60) else 1.0,
            gpu_celsius=85.0 if not alone and self._lasts("heat", now, 0.0005, 120) else 60.0,
            memory_available=GIB
            if not alone and self._lasts("leak", now, 0.0003, 300)
            else 9 * GIB,
            memory_total=16 * GIB,
        )
        self._readings = readings
        if not alone and self._lasts("deaf", now, 0.0005, 200):
            return replace(readings, input_idle_seconds=None, gpu_celsius=None, on_battery=None)
        return readings


def must_not_serve(readings: Readings, mode: Mode) -> bool:
    """What the owner was promised, said once more and without memory."""
    moment = readings.local_time
    in_hours = moment.weekday() >= 5 or not 8.5 <= moment.hour + moment.minute / 60 < 17.5
    return (
        readings.tokens_today >= 40_000
        or bool(readings.on_battery)
        or (readings.gpu_celsius or 0) >= 83
        or (readings.memory_available or GIB) < 2 * GIB
        or (mode != "manual" and (readings.owner_idle_seconds or 0) < 300)
        or (mode != "manual" and readings.exclusive_app == "doom")
        or (mode in ("idle", "schedule") and not in_hours)
        or (mode == "idle" and (readings.input_idle_seconds or 99) < 30)
    )


def is_quiet(readings: Readings, mode: Mode) -> bool:
    """Nothing at all is in the way, not even a threshold between stop and clear."""
    return (
        not must_not_serve(readings, mode)
        and (readings.other_cpu_percent or 0) < 15
        and (readings.other_gpu_percent or 0) < 5
        and (readings.gpu_celsius or 0) <= 72
        and (mode != "idle" or (readings.input_idle_seconds or 0) >= 300)
    )


class Witness:
    """Watches the standings of one machine for broken promises."""

    def __init__(self) -> None:
        self.served = 0
        self.stops = 0
        self.resumes = 0
        self._left_at = float("-inf")
        self._was_serving = False
        self._quiet_since: float | None = None
        self._cpu_busy_since: float | None = None

    def see(self, readings: Readings, standing: Standing, now: float, mode: Mode) -> None:
        if standing.serves:
            self.served += 1
            assert not must_not_serve(readings, mode), (now, readings)
            assert not standing.reasons
        else:
            assert standing.phase in ("paused", "draining")
        self._see_moves(standing.serves, now)
        self._see_load(readings, standing, now, mode)
        if not is_quiet(readings, mode):
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since > QUIET_ENOUGH:
            assert standing.serves, (now, standing)

    def _see_moves(self, serves: bool, now: float) -> None:
        if serves and not self._was_serving:
            self.resumes += 1
            assert now - self._left_at >= 30, "it flaps"
        elif self._was_serving and not serves:
            self.stops += 1
            self._left_at = now
        self._was_serving = serves

    def _see_load(self, readings: Readings, standing: Standing, now: float, mode: Mode) -> None:
        busy = mode != "manual" and (readings.other_cpu_percent or 0) > 80
        if not busy:
            self._cpu_busy_since = None
        elif self._cpu_busy_since is None:
            self._cpu_busy_since = now
        elif now - self._cpu_busy_since > 40:
            assert not standing.serves, "it works beside a busy owner"


@pytest.mark.parametrize("mode", ["idle", "always", "schedule", "manual"])
def test_a_week_keeps_every_promise(mode: Mode) -> None:
    rng = random.Random(1)
    policy = SharingPolicy(SETTINGS, mode, rng.uniform)
    witness = Witness()
    running = 0
    for now, readings in Week(random.Random(mode)):
        standing = policy.step(readings, now, running)
        witness.see(readings, standing, now, mode)
        may_begin = standing.serves and rng.random() < 0.1
        running = 1 if may_begin else running if rng.random() < 0.8 else 0
    assert witness.resumes > 20
    assert witness.stops > 20
    assert WEEK * 0.05 < witness.served < WEEK * 0.99
