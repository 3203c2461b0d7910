"""Waiting before a reconnection (A18), and noticing that the machine slept (A13)."""

import random

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.node.backoff import Backoff
from idleclaw_tui.node.suspend_watch import SuspendWatch


def highest(low: float, high: float) -> float:
    return high


def test_the_ceiling_doubles_from_one_second_to_a_minute() -> None:
    backoff = Backoff(highest)
    delays = [backoff.next_delay(0) for _ in range(9)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_whole_range_below_the_ceiling_is_used() -> None:
    bounds = []

    def uniform(low: float, high: float) -> float:
        bounds.append(low)
        return low

    Backoff(uniform).next_delay(0)
    assert bounds == [0.0]


def test_a_minute_of_connection_starts_the_count_anew() -> None:
    backoff = Backoff(highest)
    for _ in range(5):
        backoff.next_delay(0)
    backoff.connected(100)
    assert backoff.next_delay(159.9) == 32
    backoff.connected(200)
    assert backoff.next_delay(260) == 1


def test_an_old_connection_does_not_excuse_later_failures() -> None:
    backoff = Backoff(highest)
    backoff.connected(0)
    assert [backoff.next_delay(now) for now in (60, 200, 300)] == [1, 2, 4]


@given(st.integers(min_value=0, max_value=5000), st.integers())
def test_no_number_of_failures_goes_over_a_minute(failures: int, seed: int) -> None:
    backoff = Backoff(random.Random(seed).uniform)
    for _ in range(min(failures, 200)):
        assert 0 <= backoff.next_delay(0) <= 60


def test_a_thousand_nodes_do_not_come_back_at_once() -> None:
    rng = random.Random(7)
    nodes = [Backoff(rng.uniform) for _ in range(1000)]
    for node in nodes:
        for _ in range(5):
            node.next_delay(0)
    arrivals = [int(node.next_delay(0)) for node in nodes]
    assert max(arrivals.count(second) for second in set(arrivals)) < 100


def test_a_wall_clock_that_ran_ahead_means_sleep() -> None:
    watch = SuspendWatch(0, 1_000_000)
    assert not watch.slept(5, 1_000_005)
    assert not watch.slept(10, 1_000_039)
    assert watch.slept(15, 1_000_100)
    assert not watch.slept(20, 1_000_105)


def test_a_wall_clock_that_was_set_back_does_not() -> None:
    watch = SuspendWatch(0, 1_000_000)
    assert not watch.slept(5, 900_000)
    assert not watch.slept(10, 900_005)
