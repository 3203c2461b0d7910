"""A6, A21: a probe never keeps a consumer waiting, and never takes the better node from one."""

from collections import Counter

import pytest

from idleclaw_protocol.frames import CANCEL_ACK
from idleclaw_server.choice import expected_first_token_ms
from tests.router.simulated_peers import SimulatedConsumer
from tests.router.walk import Walk
from tests.trust.world import MODEL, World, standing


def _gave_way(world: World) -> int:
    world.look()
    return sum(n for (_, outcome), n in world.probing.outcomes.items() if outcome == "gave_way")


def test_a_request_ends_the_probe_of_the_only_slot() -> None:
    """The original's node confirms no cancel, so its slot is free at once."""
    world = World()
    node = world.node(slots=1)
    assert world.ask(node)
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    assert consumer.notices == 0
    assert [job.consumer for job in node.jobs.values()] == [consumer.name]
    assert node.frames[-2:] == ["cancel_request", "inference_request"]
    assert _gave_way(world) == 1
    assert standing(node).checks == 0
    assert world.core.counters.cancelled == 1, "as where a consumer leaves"


def test_a_request_waits_for_nothing_but_the_confirmation() -> None:
    world = World()
    node = world.node(slots=1, features=[CANCEL_ACK])
    assert world.ask(node)
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    assert world.core.life.waiting == 1
    assert node.frames[-1] == "cancel_request"
    world.confirm(node)
    assert [job.consumer for job in node.jobs.values()] == [consumer.name]
    assert world.core.life.waiting == 0


def test_a_node_with_more_slots_works_for_consumers_alone() -> None:
    """Two answers at once would share the machine."""
    world = World()
    node = world.node(slots=2, features=[CANCEL_ACK])
    assert world.ask(node)
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    assert [job.consumer for job in node.jobs.values()] == [consumer.name]
    assert node.frames[-2:] == ["cancel_request", "inference_request"]


def test_a_probed_node_is_chosen_as_if_it_were_idle() -> None:
    world = World()
    node = world.node(slots=2)
    assert node.listed is not None
    idle = expected_first_token_ms(node.listed, MODEL)
    assert world.ask(node)
    assert expected_first_token_ms(node.listed, MODEL) == idle


def test_another_free_node_leaves_the_probe_alone() -> None:
    world = World()
    probed, free = world.node("probed"), world.node("free")
    assert world.ask(probed)
    assert world.submit("client", MODEL)
    assert len(free.jobs) == 1
    assert _gave_way(world) == 0


def test_a_request_that_comes_back_from_a_failing_node_ends_a_probe_too() -> None:
    world = World()
    failing = world.node("failing")
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    probed = world.node("probed")
    assert world.ask(probed)
    (job,) = failing.jobs.values()
    world.fail(failing, job)
    assert [job.consumer for job in probed.jobs.values()] == [consumer.name]


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_requests_that_have_to_wait_for_a_pause_get_the_slots_behind_the_probe(slots: int) -> None:
    world = World()
    node = world.node(slots=slots)
    assert world.ask(node)
    world.heartbeat(node, available=False)
    consumers = [world.submit(f"client {number}", MODEL) for number in range(max(1, slots - 1))]
    assert len(node.jobs) == 1, "a node that pauses has nothing to give way to"
    world.heartbeat(node)
    names = [consumer.name for consumer in consumers if consumer is not None]
    assert [job.consumer for job in node.jobs.values()] == names
    assert world.core.life.waiting == 0


def test_who_works_waits_or_pauses_is_not_probed() -> None:
    world = World()
    node = world.node(slots=2, features=[CANCEL_ACK])
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    assert world.ask(node) is None
    world.depart(consumer)
    assert world.ask(node) is None, "it has yet to confirm the cancel"
    world.confirm(node)
    world.heartbeat(node, available=False)
    assert world.ask(node) is None
    world.heartbeat(node, active_requests=2)
    assert world.ask(node) is None, "its owner uses it"
    world.heartbeat(node, active_requests=1)
    assert world.ask(node), "saying that one is busy is no way out"


def test_a_probe_is_never_given_to_another_node() -> None:
    world = World()
    node, other = world.node("a"), world.node("b")
    job = world.ask(node)
    assert job is not None
    world.fail(node, job)
    assert not other.jobs
    job = world.ask(node)
    world.leave(node)
    world.look()
    assert not other.jobs
    assert len(world.probing) == 0


def test_draining_ends_probes_and_starts_none() -> None:
    world = World()
    node = world.node()
    assert world.ask(node)
    world.core.drain()
    world.probing.cancel_all(world.now)
    assert node.frames[-1] == "cancel_request"
    assert not world.core.life.active
    assert not world.core.life.unread
    assert world.ask(node) is None


def test_the_counters_that_everybody_reads_count_a_probe_as_a_chat() -> None:
    """A node that looks at them learns nothing about the request it has."""
    counted = []
    for probed in (True, False):
        world = World()
        node = world.node(slots=2)
        consumer = None if probed else world.submit("client", MODEL)
        if probed:
            assert world.ask(node)
        running = len(world.core.life.active)
        (job,) = node.jobs.values()
        world.answer(node, job, "Hello")
        if consumer is not None:
            world.depart(consumer)
        counters = world.core.counters
        totals = [getattr(counters, name) for name in counters.__slots__]
        counted.append((running, totals, dict(world.core.asked_models.by_name), node.frames))
    assert counted[0] == counted[1]


class ProbedWalk(Walk):
    """A random walk in which idle nodes are probed, and come and go as they are thought of."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._events += [(15, self.probe), (6, self.judge)]
        self._weights = [weight for weight, _ in self._events]
        self._probes = 0

    def probe(self) -> None:
        """The router asks a node something; to the simulation that is one more consumer."""
        if not self.world.nodes:
            return
        peer = self.rng.choice(self.world.nodes)
        assert peer.listed is not None
        self._probes += 1
        consumer = SimulatedConsumer(f"p{self._probes}")
        model = self.rng.choice(list(peer.listed.models))
        request = self.world.request(consumer.name, "", model)
        idle = peer.listed.is_idle
        relay = self.world.core.probe(peer.listed, request, consumer, self.world.now)
        assert (relay is not None) == idle
        if relay is not None:
            consumer.relay = relay
            self.world.consumers.append(consumer)
            self.happened["probed"] += 1

    def judge(self) -> None:
        """Something is found out about a node, connected or not."""
        if self.world.everyone:
            peer = self.rng.choice(self.world.everyone)
            record = standing(peer)
            was_out = record.is_out
            if record.is_out or self.rng.random() < 0.4:
                record.passed()
            else:
                record.failed(0.25)
            if record.is_out != was_out:
                self.happened["out" if record.is_out else "back"] += 1
                self.world.core.standing_changed(record, self.world.now)


@pytest.mark.parametrize("seed", range(8))
def test_every_invariant_holds_with_probes(seed: int) -> None:
    """A1, A19, A21: whatever the order of events, in every single step."""
    ProbedWalk(seed).run(1_500)


def test_the_walks_probe_and_judge() -> None:
    happened: Counter[str] = Counter()
    for seed in range(3):
        walk = ProbedWalk(1_000 + seed)
        walk.run(2_000)
        happened += walk.happened
    for event in ("probed", "out", "back"):
        assert happened[event] > 20, event
