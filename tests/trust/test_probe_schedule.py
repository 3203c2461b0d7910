"""A6: the time of a probe is nobody's to know."""

import random

import pytest

from idleclaw_protocol.frames import Heartbeat, OfferedModel, Register
from idleclaw_server.node import Node
from idleclaw_server.probe_schedule import (
    MAX_PROBES,
    UNPROVEN_FACTOR,
    asks_to_think,
    draws,
    is_due,
    model_to_ask,
    pause,
)
from idleclaw_server.standing import Standing
from tests.router.simulated_peers import SimulatedNode

_HOUR = 3600


def _node(*names: str) -> Node:
    models = tuple(OfferedModel(name=name, size=1) for name in names)
    register = Register(node_id="n", models=models)
    return Node(register, SimulatedNode(0, "n", set()), "n", 0.0)


def _proven() -> Standing:
    standing = Standing()
    for _ in range(10):
        standing.passed()
    return standing


def _probes_in_a_thousand_hours(standing: Standing, step: float) -> int:
    rng = random.Random(7)
    probes = 0
    for _ in range(int(1_000 * _HOUR / step)):
        drawn = draws(1, 1_800, step, rng)
        probes += sum(is_due(standing, rng) for _ in range(drawn))
    return probes


@pytest.mark.parametrize("step", [10.0, 60.0])
def test_a_proven_node_is_probed_at_the_mean_and_others_oftener(step: float) -> None:
    assert _probes_in_a_thousand_hours(_proven(), step) == pytest.approx(2_000, rel=0.1)
    often = 2_000 * UNPROVEN_FACTOR
    assert _probes_in_a_thousand_hours(Standing(), step) == pytest.approx(often, rel=0.1)


def test_who_is_out_or_doubtful_is_not_proven() -> None:
    doubtful = _proven()
    while doubtful.honesty > 0.5:
        doubtful.failed(0.1)
    assert not doubtful.is_proven
    while not doubtful.is_out:
        doubtful.failed(0.1)
    assert not doubtful.is_proven
    assert all(is_due(doubtful, random.Random(seed)) for seed in range(50))


def test_the_router_looks_at_no_beat() -> None:
    """Else a node could tell probes by the fraction of the second in which they come."""
    rng = random.Random(8)
    now, quarters = 0.0, [0, 0, 0, 0]
    for _ in range(2_000):
        now += pause(rng)
        quarters[int(now % 1 * 4)] += 1
    assert now / 2_000 == pytest.approx(1, rel=0.05)
    assert min(quarters) > 400


def test_no_nodes_no_probes_and_never_many_at_once() -> None:
    rng = random.Random(1)
    assert draws(0, 1_800, 3_600, rng) == 0
    assert draws(10_000, 1, 1e9, rng) == MAX_PROBES
    assert draws(10_000, 1_800, 0, rng) == 0


def test_waiting_makes_a_probe_no_likelier() -> None:
    """It is a Poisson process: after an hour without one, the next minute is like any other."""
    rng = random.Random(2)
    gaps: list[int] = []
    since = 0
    while len(gaps) < 3_000:
        since += 1
        if draws(1, 1_800, 30, rng):
            gaps.append(since)
            since = 0
    all_of_them = sum(gap == 1 for gap in gaps) / len(gaps)
    late = [gap for gap in gaps if gap > 10]
    after_a_while = sum(gap == 11 for gap in late) / len(late)
    assert after_a_while == pytest.approx(all_of_them, abs=0.03)


def test_any_model_is_asked_and_loaded_ones_oftener() -> None:
    node = _node("a", "b", "c", "d")
    node.heartbeat(Heartbeat(loaded=("b",)), 0)
    rng = random.Random(4)
    asked = [model_to_ask(node, rng) for _ in range(4_000)]
    assert asked.count("b") / 4_000 == pytest.approx(0.5 + 0.5 / 4, abs=0.03)
    for name in "acd":
        assert asked.count(name) / 4_000 == pytest.approx(0.5 / 4, abs=0.03)


def test_a_node_without_a_chat_model_is_not_asked() -> None:
    embedding = OfferedModel(name="e", size=1, capabilities=("embedding",))
    register = Register(node_id="n", models=(embedding,))
    node = Node(register, SimulatedNode(0, "n", set()), "n", 0.0)
    assert model_to_ask(node, random.Random(0)) is None


def test_some_probes_ask_to_think_where_the_model_can() -> None:
    rng = random.Random(3)
    thinking, plain = _node("qwen3:4b"), _node("tiny:1b")
    share = sum(asks_to_think(thinking, "qwen3:4b", rng) for _ in range(1_000))
    assert 180 < share < 330
    assert not any(asks_to_think(plain, "tiny:1b", rng) for _ in range(100))
