"""Which node gets a request, drawn and judged without I/O."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.frames import Heartbeat, Register
from idleclaw_server.choice import choose, expected_first_token_ms
from idleclaw_server.node import Node
from idleclaw_server.random_set import RandomSet
from tests.router.simulated_peers import SimulatedNode
from tests.router.simulator import Simulation

_GIB = 1 << 30


def _node(name: str = "n", *, size: int = _GIB, slots: int = 2) -> Node:
    register = Register.model_validate(
        {"node_id": name, "models": [{"name": "m", "size": size}], "max_concurrent": slots}
    )
    return Node(register, SimulatedNode(0, name, set()), name, 0.0)


def _best(*nodes: Node) -> Node:
    free: RandomSet[Node] = RandomSet()
    for node in nodes:
        free.add(node)
    chosen = {choose(free, "m", (), random.Random(seed)) for seed in range(5)}
    assert len(chosen) == 1
    (best,) = chosen
    assert best is not None
    return best


def test_a_loaded_model_beats_one_that_is_on_disk() -> None:
    loaded, cold = _node("a"), _node("b")
    loaded.heartbeat(Heartbeat(loaded=("m",)), 0)
    cold.heartbeat(Heartbeat(loaded=()), 0)
    assert _best(loaded, cold) is loaded
    assert expected_first_token_ms(cold, "m") > 1000


def test_a_small_model_on_disk_beats_a_large_one() -> None:
    small, large = _node("a", size=_GIB), _node("b", size=40 * _GIB)
    for node in (small, large):
        node.heartbeat(Heartbeat(loaded=()), 0)
    assert _best(small, large) is small


def test_an_idle_node_beats_a_busy_one() -> None:
    idle, busy = _node("a"), _node("b")
    busy.heartbeat(Heartbeat(active_requests=1), 0)
    assert _best(idle, busy) is idle


def test_a_node_that_was_quick_beats_one_that_was_slow() -> None:
    quick, slow = _node("a"), _node("b")
    quick.speed("m").first_token_seconds.add(0.2)
    slow.speed("m").first_token_seconds.add(3.0)
    assert _best(quick, slow) is quick


def test_of_two_equal_ones_the_faster_writer_wins() -> None:
    fast, slow = _node("a"), _node("b")
    fast.speed("m").tokens_per_second.add(100)
    slow.speed("m").tokens_per_second.add(3)
    assert _best(fast, slow) is fast


def test_an_unreliable_node_is_avoided_and_still_has_a_finite_time() -> None:
    good, bad = _node("a"), _node("b")
    for _ in range(100):
        bad.standing.count_request("m", answered=False)
    assert _best(good, bad) is good
    assert expected_first_token_ms(bad, "m") < 1e6


def test_a_tried_node_is_never_chosen() -> None:
    free: RandomSet[Node] = RandomSet()
    nodes = [_node(f"n{number}") for number in range(4)]
    for node in nodes:
        free.add(node)
    for seed in range(50):
        chosen = choose(free, "m", {"n0", "n1", "n2"}, random.Random(seed))
        assert chosen is nodes[3]
    assert choose(free, "m", {node.node_id for node in nodes}, random.Random(0)) is None


def test_equal_nodes_share_the_work() -> None:
    """Two random candidates: no herd on one node, and no node is forgotten."""
    free: RandomSet[Node] = RandomSet()
    for number in range(10):
        free.add(_node(f"n{number}"))
    rng = random.Random(7)
    counts: Counter[str] = Counter()
    for _ in range(2_000):
        node = choose(free, "m", (), rng)
        assert node is not None
        counts[node.node_id] += 1
    assert len(counts) == 10
    assert max(counts.values()) < 2 * min(counts.values())


def test_a_thousand_requests_at_once_never_exceed_any_capacity() -> None:
    """A21: choosing and holding a slot is one step, so a rush cannot overbook a node."""
    world = Simulation()
    peers = [
        world.join(f"n{number}", ["m0"], max_concurrent=number % 10 + 1) for number in range(9)
    ]
    for number in range(1_000):
        world.submit(f"client{number}", "m0")
        world.check()
    for peer in peers:
        assert peer is not None
        assert peer.listed is not None
        assert len(peer.jobs) == peer.listed.registered_slots
    assert world.core.life.waiting == world.core.policy.max_waiting_per_model
    assert world.refused == 1_000 - sum(range(1, 10)) - world.core.policy.max_waiting_per_model


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 20)),
            st.tuples(st.just("discard"), st.integers(0, 20)),
            st.tuples(st.just("sample"), st.integers(0, 25)),
        ),
        max_size=80,
    ),
    st.integers(),
)
def test_a_random_set_is_a_set(uses: list[tuple[str, int]], seed: int) -> None:
    drawn: RandomSet[int] = RandomSet()
    plain: set[int] = set()
    for use, value in uses:
        if use == "add":
            drawn.add(value)
            plain.add(value)
        elif use == "discard":
            drawn.discard(value)
            plain.discard(value)
        else:
            sample = drawn.sample(random.Random(seed), value)
            assert len(sample) == len(set(sample)) == min(value, len(plain))
            assert set(sample) <= plain
        assert set(drawn) == plain
        assert len(drawn) == len(plain)
        assert all(value in drawn for value in plain)


def test_every_member_of_a_random_set_is_drawn() -> None:
    drawn: RandomSet[int] = RandomSet()
    for value in range(8):
        drawn.add(value)
    drawn.discard(3)
    rng = random.Random(1)
    seen = {value for _ in range(300) for value in drawn.sample(rng, 2)}
    assert seen == set(range(8)) - {3}
