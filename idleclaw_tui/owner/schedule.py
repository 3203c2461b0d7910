"""Times of the week at which a machine may be shared, as people write them: mon-fri 22:00-07:00."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Self

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WINDOW: Final = re.compile(
    r"(?:(?P<days>[a-z,-]+)\s+)?(?P<start>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, local time, on `days` (0 is Monday).

    A window whose end is not after its start goes on into the next day; from 00:00 to 00:00 is
    the whole day.
    """

    days: frozenset[int]
    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a window: days (every day where none are named) and a span of time.

        Raises `ValueError`, in words for people, where it is none.
        """
        match = _WINDOW.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f"{text[:40]!r} is no time like 22:00-07:00 or mon-fri 22:00-07:00")
        return cls(_days(match["days"]), _time(match["start"]), _time(match["end"]))

    def __str__(self) -> str:
        span = f"{self.start:%H:%M}-{self.end:%H:%M}"
        return span if len(self.days) == len(DAYS) else f"{_day_names(self.days)} {span}"

    def __contains__(self, moment: datetime) -> bool:
        """Whether a local time lies in the window."""
        today, now = moment.weekday(), moment.time()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        began_today = today in self.days and now >= self.start
        return began_today or ((today - 1) % 7 in self.days and now < self.end)


def is_open(windows: Iterable[Window], moment: datetime) -> bool:
    """Whether a local time lies in one of the windows."""
    return any(moment in window for window in windows)


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(len(DAYS)))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start, end = _day(first), _day(last if dash else first)
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _day(name: str) -> int:
    if name not in DAYS:
        raise ValueError(f"{name[:20]!r} is no day: the days are {', '.join(DAYS)}")
    return DAYS.index(name)


def _time(text: str) -> time:
    hour, _, minute = text.partition(":")
    try:
        return time(int(hour) % 24 if text == "24:00" else int(hour), int(minute))
    except ValueError:
        raise ValueError(f"{text} is no time of the day") from None


def _day_names(days: frozenset[int]) -> str:
    """Return the days as ranges where two or more follow each other."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAYS[run[0]] + (f"-{DAYS[run[-1]]}" if len(run) > 1 else "") for run in runs)
