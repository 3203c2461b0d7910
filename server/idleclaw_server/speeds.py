"""What the router learns from the answers it relays: speeds and times."""

from typing import Final

_NEWEST_SHARE: Final = 0.2
_WINDOW: Final = 64


class MovingAverage:
    """An exponentially weighted mean; None until the first value."""

    __slots__ = ("count", "value")

    def __init__(self, value: float | None = None) -> None:
        self.value = value
        self.count = 0

    def add(self, sample: float) -> None:
        """Let `sample` weigh a fifth of the new mean."""
        self.count += 1
        if self.value is None:
            self.value = sample
        else:
            self.value += _NEWEST_SHARE * (sample - self.value)


class RecentValues:
    """The last 64 samples of something, for its percentiles; None below five samples."""

    __slots__ = ("_sorted", "_values")

    _ENOUGH: Final = 5

    def __init__(self) -> None:
        self._values: list[float] = []
        self._sorted: list[float] | None = None

    def add(self, sample: float) -> None:
        """Take `sample` in; the oldest leaves."""
        self._values.append(sample)
        if len(self._values) > _WINDOW:
            del self._values[0]
        self._sorted = None

    def percentile(self, percent: int) -> float | None:
        """Return the value below which `percent` (0 to 100) of the samples lie, interpolated."""
        if len(self._values) < self._ENOUGH:
            return None
        if self._sorted is None:
            self._sorted = sorted(self._values)
        place = (len(self._sorted) - 1) * percent / 100
        below = self._sorted[int(place)]
        above = self._sorted[min(int(place) + 1, len(self._sorted) - 1)]
        return below + (above - below) * (place - int(place))


class ModelSpeed:
    """How fast one node is with one model."""

    __slots__ = ("first_token_seconds", "tokens_per_second")

    def __init__(self) -> None:
        self.first_token_seconds = MovingAverage()
        self.tokens_per_second = MovingAverage()


class NetworkSpeed:
    """How the whole network does with one model."""

    __slots__ = ("answer_seconds", "first_token_seconds", "tokens_per_second")

    def __init__(self) -> None:
        self.first_token_seconds = RecentValues()
        self.tokens_per_second = RecentValues()
        self.answer_seconds = RecentValues()
