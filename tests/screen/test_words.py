"""Numbers as the interface says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.0 s"),
        (0.6, "0.6 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (24.4, "24 s"),
        (99.6, "1 min"),
        (185, "3 min"),
        (3599, "59 min"),
        (11_540, "3 h 12 m"),
        (47 * 3600, "47 h 0 m"),
        (102 * 3600, "4 d 6 h"),
    ],
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_a_running_time_does_not_flicker() -> None:
    assert [words.whole_seconds(s) for s in (0.2, 9.9, 24.4)] == ["0 s", "9 s", "24 s"]


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")],
)
def test_places_in_a_line(number: int, said: str) -> None:
    assert words.ordinal(number) == said


@pytest.mark.parametrize(
    ("speed", "said"),
    [(None, words.UNKNOWN), (0.0, "0"), (6.21, "6.2"), (9.96, "10"), (38.4, "38"), (1240, "1,240")],
)
def test_speeds_for_a_column(speed: float | None, said: str) -> None:
    assert words.rate_number(speed) == said


def test_counts_sizes_and_contexts_have_units() -> None:
    assert words.count(1, "node") == "1 node"
    assert words.count(18_420, "token") == "18,420 tokens"
    assert words.size(2_019_393_189) == "2.0 GB"
    assert words.size(93_000_000) == "93 MB"
    assert words.context(40_960) == "40k"
    assert words.context(512) == "512"


@given(st.floats(min_value=0, max_value=1e8))
def test_a_duration_is_always_short(seconds: float) -> None:
    assert len(words.duration(seconds)) <= 11


def test_a_sentence_ends_once() -> None:
    assert words.sentence("The node left") == "The node left."
    assert words.sentence("Is it running?") == "Is it running?"
