"""Times of the week, as people write them."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.owner.schedule import DAYS, Window, is_open

MONDAY = datetime(2026, 11, 23)

windows = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)


def at(day: str, clock: str) -> datetime:
    moment = time.fromisoformat(clock)
    return datetime.combine(MONDAY + timedelta(days=DAYS.index(day)), moment)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("09:00-17:00", ("sun", "09:00"), ("sun", "17:00")),
        ("mon-fri 09:00-17:00", ("fri", "16:59"), ("sat", "12:00")),
        ("mon-fri 22:00-07:00", ("sat", "06:59"), ("mon", "06:59")),
        ("sat-mon 0:00-24:00", ("mon", "23:59"), ("tue", "00:00")),
        ("SUN 22:00 - 7:00", ("mon", "03:00"), ("sun", "03:00")),
        ("tue,thu 08:00-09:00", ("thu", "08:30"), ("wed", "08:30")),
    ],
)
def test_a_window_holds_what_it_says(
    text: str, inside: tuple[str, str], outside: tuple[str, str]
) -> None:
    window = Window.parse(text)
    assert is_open([window], at(*inside))
    assert not is_open([window], at(*outside))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no time like"),
        ("always", "no time like"),
        ("22:00", "no time like"),
        ("25:00-26:00", "no time of the day"),
        ("24:30-01:00", "no time of the day"),
        ("mon-fry 22:00-07:00", "no day"),
        ("mon- 22:00-07:00", "no day"),
    ],
)
def test_what_is_no_window_is_explained(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Window.parse(text)


@given(windows)
def test_a_window_reads_as_it_was_written(window: Window) -> None:
    assert Window.parse(str(window)) == window


@given(windows, st.datetimes(max_value=datetime(2100, 1, 1)))
def test_a_window_lasts_as_long_as_its_clock_says(window: Window, moment: datetime) -> None:
    """Counted minute by minute over a week, it is open for its span on each of its days."""
    start = moment.replace(second=0, microsecond=0)
    minutes = (window.end.hour - window.start.hour) * 60 + window.end.minute - window.start.minute
    week = (start + timedelta(minutes=step) for step in range(7 * 24 * 60))
    assert sum(m in window for m in week) == len(window.days) * (minutes % 1440 or 1440)
