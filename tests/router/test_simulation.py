"""Random walks over the router's core; `SIMULATION_SEEDS=1000` walks for minutes."""

import os
import time

import pytest

from tests.router.walk import Walk

_SEEDS = int(os.environ.get("SIMULATION_SEEDS", "12"))
_STEPS = 2_000


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_every_invariant_holds_on_every_way(seed: int) -> None:
    """A1, A2, A3, A11, A19, A21, A25: whatever the order of events, in every single step."""
    Walk(seed).run(_STEPS)


def test_the_walks_go_everywhere_and_quickly() -> None:
    """A simulator that does nothing would find nothing."""
    walk = Walk(1_000_003)
    started = time.process_time()
    walk.run(6_000)
    counters = walk.world.core.counters
    for name in counters.__slots__:
        assert getattr(counters, name) > 5, f"{name} hardly ever happens"
    assert walk.world.refused > 5
    assert 6_000 / (time.process_time() - started) > 500, "steps per second of processor time"
