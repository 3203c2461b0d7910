"""Whether this machine serves others now: decided from readings, without looking anywhere itself.

serving -> draining -> paused -> warming -> serving. A stop counts at once; going on again waits
until every guard is clear for its own time, for at least `DWELL_SECONDS` since the stop, and a
random moment longer, so that many nodes do not come back together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from idleclaw_tui.guards import Guard, HandOff, Level, PauseReason, Value, guards_for
from idleclaw_tui.readings import Readings
from idleclaw_tui.sharing_settings import Mode, SharingSettings

Phase = Literal["serving", "draining", "paused", "warming"]
GuardState = Literal["clear", "stop", "unknown"]

DWELL_SECONDS: Final = 30.0
JITTER_SECONDS: Final = 5.0
UNKNOWN_SECONDS: Final = 60.0
"""How long a signal that stopped sharing must be unknown before its guard is ignored."""
SMOOTHING_SECONDS: Final = 10.0

_SEVERITY: Final[dict[HandOff, int]] = {"finish": 0, "short": 1, "at_once": 2}


@dataclass(frozen=True, slots=True)
class GuardView:
    """What one guard says now; `value` is the figure it looked at, None where there is none."""

    reason: PauseReason
    state: GuardState
    value: Value = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the node serves, and why not.

    `reasons` are those that hold now, none while a pause merely has to last; `hand_off` is what
    becomes of requests that still run. `resumes_in` (seconds) is known where nothing but time is
    missing.
    """

    phase: Phase
    mode: Mode
    reasons: tuple[PauseReason, ...] = ()
    hand_off: HandOff = "finish"
    guards: tuple[GuardView, ...] = ()
    resumes_in: float | None = None

    @property
    def serves(self) -> bool:
        """Whether new requests may be taken."""
        return self.phase == "serving"


class _Smooth:
    """An exponentially weighted mean over about ten seconds."""

    def __init__(self) -> None:
        self._mean: float | None = None
        self._at = 0.0

    def take(self, value: float | None, now: float) -> float | None:
        if value is None or self._mean is None:
            self._mean = value
        else:
            weight = 1.0 - math.exp(-max(0.0, now - self._at) / SMOOTHING_SECONDS)
            self._mean += weight * (value - self._mean)
        self._at = now
        return self._mean

    @property
    def mean(self) -> float | None:
        return self._mean


class _Latch:
    """Whether one guard stops sharing: it changes sides only after its own time."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.stopping = guard.starts_stopped
        self._since: float | None = None
        self._left: float | None = None

    def take(self, level: Level | None, now: float) -> None:
        leaning = level != "stop" and level != "between" if self.stopping else level == "stop"
        if not leaning:
            self._since = None
            self._left = None
            return
        if self._since is None:
            self._since = now
        self._left = max(0.0, self._since + self._needed(level) - now)
        if self._left <= 0.0:
            self.stopping = not self.stopping
            self._since = None

    def left(self, readings: Readings) -> float | None:
        """Seconds until this guard lets go if nothing happens, None where that is open."""
        if self._since is not None:
            return self._left
        return self.guard.left(readings)

    def view(self, level: Level | None, readings: Readings) -> GuardView:
        state: GuardState = "stop" if self.stopping else "unknown" if level is None else "clear"
        return GuardView(self.guard.reason, state, self.guard.value(readings))

    def _needed(self, level: Level | None) -> float:
        if not self.stopping:
            return self.guard.stop_seconds
        return max(self.guard.resume_seconds, UNKNOWN_SECONDS if level is None else 0.0)


class SharingPolicy:
    """Decides, reading by reading; `now` is monotonic time in seconds, `uniform` the chance."""

    def __init__(
        self, settings: SharingSettings, mode: Mode, uniform: Callable[[float, float], float]
    ) -> None:
        self._uniform = uniform
        self._cpu = _Smooth()
        self._gpu = _Smooth()
        self._latches: list[_Latch] = []
        self._paused_by_user = False
        self._phase: Phase = "paused"
        self._left_at: float | None = None
        self._clear_at: float | None = None
        self._waits = False
        self._jitter = 0.0
        self._is_warm = False
        self.must_get_ready = False
        """Whether something is to be done before the first request, however little."""
        self.change(settings, mode)

    def change(self, settings: SharingSettings, mode: Mode) -> None:
        """Take other settings; guards that go on to hold keep their memory."""
        before = {latch.guard.reason: latch for latch in self._latches}
        self._settings, self._mode = settings, mode
        self._latches = [_Latch(guard) for guard in guards_for(settings, mode)]
        for latch in self._latches:
            if (old := before.get(latch.guard.reason)) is not None:
                latch.stopping = old.stopping

    def pause(self) -> None:
        """Stop until `resume`."""
        self._paused_by_user = True

    def resume(self) -> None:
        """Take back `pause`; a pause by this alone is over at once."""
        self._paused_by_user = False

    def warmed(self) -> None:
        """Note that the models are in memory, or could not be brought there."""
        self._is_warm = True
        self.must_get_ready = False

    def step(self, readings: Readings, now: float, running: int = 0) -> Standing:
        """Decide on the readings of this moment, while `running` requests run."""
        readings = self._smoothed(readings, now)
        levels = [latch.guard.level(readings) for latch in self._latches]
        for latch, level in zip(self._latches, levels, strict=True):
            latch.take(level, now)
        stopping = [latch for latch in self._latches if latch.stopping]
        self._move(bool(stopping), now, running)
        reasons: list[PauseReason] = ["paused_by_user"] if self._paused_by_user else []
        return Standing(
            phase=self._phase,
            mode=self._mode,
            reasons=(*reasons, *(latch.guard.reason for latch in stopping)),
            hand_off=max(
                (latch.guard.hand_off for latch in stopping),
                key=_SEVERITY.__getitem__,
                default="finish",
            ),
            guards=tuple(
                latch.view(level, readings)
                for latch, level in zip(self._latches, levels, strict=True)
            ),
            resumes_in=self._resumes_in(stopping, readings, now),
        )

    def _smoothed(self, readings: Readings, now: float) -> Readings:
        """Return the readings with loads as means; a card's load is the own one while serving."""
        gpu = readings.other_gpu_percent
        if gpu is None and readings.gpu_percent is not None:
            gpu = self._gpu.mean if readings.own_requests else readings.gpu_percent
        return replace(
            readings,
            other_cpu_percent=self._cpu.take(readings.other_cpu_percent, now),
            other_gpu_percent=self._gpu.take(gpu, now),
        )

    def _move(self, stopped: bool, now: float, running: int) -> None:
        if stopped or self._paused_by_user:
            if self._phase in ("serving", "warming") or self._left_at is None:
                self._left_at, self._waits = now, False
            self._waits = self._waits or stopped
            self._clear_at = None
            self._phase = "draining" if running else "paused"
        elif self._phase in ("draining", "paused"):
            if self._may_resume(now):
                self._is_warm = not (self._settings.warm_up or self.must_get_ready)
                self._phase = "warming"
            elif not running:
                self._phase = "paused"
        if self._phase == "warming" and self._is_warm:
            self._phase = "serving"

    def _may_resume(self, now: float) -> bool:
        if self._left_at is None or not self._waits:
            return True
        if self._clear_at is None:
            self._clear_at = now
            self._jitter = self._uniform(0.0, JITTER_SECONDS)
        return now >= max(self._left_at + DWELL_SECONDS, self._clear_at + self._jitter)

    def _resumes_in(self, stopping: list[_Latch], readings: Readings, now: float) -> float | None:
        if self._phase not in ("draining", "paused") or self._paused_by_user:
            return None
        left = [latch.left(readings) for latch in stopping]
        if None in left or self._left_at is None:
            return None
        dwell = self._left_at + DWELL_SECONDS - now
        return max(0.0, dwell, *(seconds for seconds in left if seconds is not None))
