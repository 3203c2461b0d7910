"""Numbers over time as a line of small bars."""

from collections.abc import Sequence
from typing import Final

_BARS: Final = "▁▂▃▄▅▆▇█"
_HEADROOM: Final = 1.25
"""A number that does not change is no full bar."""


def spark(samples: Sequence[float | None], width: int, top: float | None = None) -> str:
    """Return the last `width` samples as bars, right-aligned in as many cells.

    None, which nobody knows, is a gap; zero the lowest bar, and only zero. `top` is what a full bar
    stands for, a little above the largest sample where none is given.
    """
    if width <= 0:
        return ""
    shown = samples[-width:]
    largest = max((sample for sample in shown if sample is not None), default=0.0)
    full = top or largest * _HEADROOM
    return "".join(_bar(sample, full) for sample in shown).rjust(width)


def worth_drawing(samples: Sequence[float | None]) -> bool:
    """Return whether there is a past at all: two samples, one of them not zero."""
    return sum(sample is not None for sample in samples) > 1 and any(samples)


def _bar(sample: float | None, full: float) -> str:
    if sample is None:
        return " "
    if sample <= 0 or full <= 0:
        return _BARS[0]
    return _BARS[min(1 + int(sample / full * (len(_BARS) - 1)), len(_BARS) - 1)]
