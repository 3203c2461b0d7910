"""What the router learns and shows: averages, percentiles, waits, aliases, clamped counts."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_server.aliases import AliasBook
from idleclaw_server.policy import Policy
from idleclaw_server.speeds import MovingAverage, RecentValues
from tests.router.simulator import Simulation

_SAMPLES = st.floats(min_value=0, max_value=1e6)


@given(st.lists(_SAMPLES, min_size=1))
def test_a_moving_average_stays_between_its_samples(samples: list[float]) -> None:
    average = MovingAverage()
    for sample in samples:
        average.add(sample)
    assert average.value is not None
    assert min(samples) - 1e-6 <= average.value <= max(samples) + 1e-6
    assert average.count == len(samples)


def test_a_moving_average_forgets_what_is_long_ago() -> None:
    average = MovingAverage()
    for sample in [100.0] + [1.0] * 40:
        average.add(sample)
    assert average.value == pytest.approx(1.0, abs=0.02)


@given(st.lists(_SAMPLES, min_size=5, max_size=200))
def test_percentiles_are_ordered_and_of_the_last_64(samples: list[float]) -> None:
    recent = RecentValues()
    for sample in samples:
        recent.add(sample)
    low, middle, high = (recent.percentile(percent) for percent in (1, 50, 95))
    assert low is not None
    assert middle is not None
    assert high is not None
    last = samples[-64:]
    bounds = [min(last), low, middle, high, max(last)]
    assert bounds == pytest.approx(sorted(bounds))


@given(st.lists(_SAMPLES, min_size=5, max_size=64), st.integers(1, 99))
def test_percentiles_are_those_of_the_statisticians(samples: list[float], percent: int) -> None:
    recent = RecentValues()
    for sample in samples:
        recent.add(sample)
    expected = statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]
    assert recent.percentile(percent) == pytest.approx(expected)


def test_too_few_samples_say_nothing() -> None:
    recent = RecentValues()
    for _ in range(4):
        recent.add(1.0)
        assert recent.percentile(50) is None


@given(st.text(max_size=64), st.binary(min_size=1, max_size=32))
def test_an_alias_is_stable_plain_and_not_the_node_id(node_id: str, key: bytes) -> None:
    alias = AliasBook(key).alias(node_id)
    assert alias == AliasBook(key).alias(node_id)
    adjective, animal, number = alias.split("-")
    assert adjective.isalpha()
    assert animal.isalpha()
    assert 100 <= int(number) <= 999
    assert AliasBook(key + b"x").alias(node_id) != alias or len(key) > 30


def test_aliases_of_a_large_network_rarely_clash() -> None:
    book = AliasBook(b"key")
    aliases = {book.alias(f"node-{number}") for number in range(1_000)}
    assert len(aliases) > 990


def _served(world: Simulation, seconds: float) -> None:
    """Let one request run for `seconds`."""
    consumer = world.submit("someone", "m0")
    assert consumer is not None
    ((peer, job),) = [(p, j) for p, j in world.jobs() if j.consumer == consumer.name]
    world.now += seconds
    world.chunk(peer, job, done=True)
    world.depart(consumer)


def test_no_estimate_without_samples_and_an_honest_one_with_them() -> None:
    world = Simulation(Policy())
    peer = world.join("n", ["m0"], max_concurrent=2)
    assert peer is not None
    entry = world.core.registry.models["m0"]
    assert world.core.deadlines.seconds_per_turn(entry) is None
    for _ in range(5):
        _served(world, 10.0)
    assert world.core.deadlines.seconds_per_turn(entry) == 5.0, "10 s an answer, two slots"
    world.heartbeat(peer, available=False)
    assert world.core.deadlines.seconds_per_turn(entry) is None, "nobody serves"


def test_the_time_to_the_first_token_does_not_learn_from_loading() -> None:
    world = Simulation(Policy())
    peer = world.join("n", ["m0"])
    assert peer is not None
    assert peer.listed is not None
    world.heartbeat(peer, loaded=[])
    _served(world, 30.0)
    assert peer.listed.speed("m0").first_token_seconds.value is None
    assert peer.listed.has_loaded("m0"), "it has just answered"
    _served(world, 1.0)
    assert peer.listed.speed("m0").first_token_seconds.value == 1.0


def test_a_load_that_a_heartbeat_reports_in_between_is_still_a_load() -> None:
    world = Simulation(Policy())
    peer = world.join("n", ["m0"])
    assert peer is not None
    assert peer.listed is not None
    world.heartbeat(peer, loaded=[])
    world.submit("someone", "m0")
    ((_, job),) = world.jobs()
    world.now += 30
    world.heartbeat(peer, loaded=["m0"], active_requests=1)
    world.chunk(peer, job)
    assert peer.listed.speed("m0").first_token_seconds.value is None


def test_chunks_per_second_are_measured_by_the_sweeper() -> None:
    world = Simulation(Policy())
    world.join("n", ["m0"])
    world.submit("someone", "m0")
    ((peer, job),) = world.jobs()
    for _ in range(40):
        world.pass_time(1.0)
        for _ in range(20):
            world.chunk(peer, job)
    world.pass_time(1.0)
    assert world.core.deadlines.chunks_per_second.value == pytest.approx(20, rel=0.05)


def test_ending_twice_is_ending_once() -> None:
    """A19: whatever ends a request first settles it; the rest finds it ended."""
    world = Simulation(Policy())
    world.join("n", ["m0"])
    consumer = world.submit("someone", "m0")
    assert consumer is not None
    assert consumer.relay is not None
    world.core.life.fail(consumer.relay, "timeout", 1.0)
    world.core.life.fail(consumer.relay, "node_lost", 2.0)
    world.check()
    world.depart(consumer)
    world.depart(consumer)
    world.check()
    assert [end.error.code for end in consumer.endings if end.error] == ["timeout"]
    assert world.core.counters.errors == 1
