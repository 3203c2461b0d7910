"""How often something may happen, and how much is remembered of it."""

import random
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_server.address_limits import AddressLimits, Allowance
from idleclaw_server.errors import TooManyRequests
from idleclaw_server.token_buckets import MAX_KEYS, TokenBuckets


def test_a_full_bucket_then_one_every_three_seconds() -> None:
    buckets = TokenBuckets(20)
    assert [buckets.take("a", 0.0) for _ in range(20)] == [0.0] * 20
    assert buckets.take("a", 0.0) == pytest.approx(3.0)
    assert buckets.take("a", 2.0) == pytest.approx(1.0)
    assert buckets.take("a", 3.0) == 0.0
    assert buckets.take("a", 3.0) > 0
    assert buckets.take("b", 3.0) == 0.0


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
)
def test_no_rhythm_gets_more_than_its_share(per_minute: int, pauses: list[float]) -> None:
    buckets = TokenBuckets(per_minute)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += buckets.take("a", now) == 0.0
        assert taken <= per_minute + now * per_minute / 60 + 1e-6


@given(st.integers(1, 50), st.lists(st.floats(0, 5, allow_nan=False), max_size=100))
def test_whoever_waits_as_long_as_told_is_let_in(per_minute: int, pauses: list[float]) -> None:
    buckets = TokenBuckets(per_minute)
    now = 0.0
    for pause in pauses:
        now += pause
        if wait := buckets.take("a", now):
            assert buckets.take("a", now + wait + 1e-6) == 0.0
            now += wait + 1e-6


def test_zero_is_no_limit_and_remembers_nobody() -> None:
    buckets = TokenBuckets(0)
    assert not any(buckets.take("a", 0.0) for _ in range(1000))
    assert len(buckets) == 0


def test_the_one_seen_longest_ago_is_forgotten() -> None:
    buckets = TokenBuckets(1, max_keys=2)
    assert [buckets.take(key, 0.0) for key in "abab"] == [0.0, 0.0, 60.0, 60.0]
    buckets.take("a", 0.0)
    buckets.take("c", 0.0)
    assert buckets.take("a", 0.0) > 0, "seen last, so remembered"
    assert buckets.take("b", 0.0) == 0.0, "forgotten"


def test_a_hundred_thousand_addresses_take_a_few_megabytes() -> None:
    """A17: the table stops growing at its bound, whoever comes."""
    limits = AddressLimits(Allowance())
    rng = random.Random(1)
    tracemalloc.start()
    try:
        for number in range(100_000):
            limits.admit("/health", f"{rng.getrandbits(64):x}", number * 1e-4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    assert MAX_KEYS == 20_000


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/chat", 20),
        ("/api/chat/x", 20),
        ("/ws/node", 5),
        ("/health", 60),
        ("/api/chatter", 60),
        ("/nothing", 60),
    ],
)
def test_each_kind_of_request_has_its_bucket(path: str, allowed: int) -> None:
    limits = AddressLimits(Allowance())
    for _ in range(allowed):
        limits.admit(path, "a", 0.0)
    with pytest.raises(TooManyRequests) as refusal:
        limits.admit(path, "a", 0.0)
    assert refusal.value.retry_after == 60 // allowed


def test_a_storm_of_registrations_is_spread_out() -> None:
    """A18: a thousand nodes that come back at once get in at a hundred a second."""
    limits = AddressLimits(Allowance())
    waiting = [f"node {number}" for number in range(1000)]
    joined: list[int] = []
    for second in range(20):
        before = len(waiting)
        waiting = [key for key in waiting if not _admitted(limits, key, float(second))]
        joined.append(before - len(waiting))
    assert not waiting
    assert max(joined) == 200
    assert max(joined[1:]) <= 101


def _admitted(limits: AddressLimits, key: str, now: float) -> bool:
    try:
        limits.admit("/ws/node", key, now)
    except TooManyRequests:
        return False
    return True


def test_running_chats_are_counted_out_again_whatever_happens() -> None:
    limits = AddressLimits(Allowance(running_chats=1))
    for _ in range(3):
        with suppress(KeyError), limits.running_chat("a"):
            assert _seconds_to_wait(limits, "a") == 5
            assert _seconds_to_wait(limits, "b") is None
            assert limits.chatting == 1
            raise KeyError
        assert limits.chatting == 0


def _seconds_to_wait(limits: AddressLimits, key: str) -> int | None:
    try:
        with limits.running_chat(key):
            return None
    except TooManyRequests as refusal:
        return refusal.retry_after
