"""What has to hold in a router's core after every single event."""

from collections import Counter

from idleclaw_server.core import RouterCore
from idleclaw_server.node import Node
from idleclaw_server.relay import Phase, Relay
from tests.router.simulated_peers import SimulatedConsumer, SimulatedNode


def check(core: RouterCore, consumers: list[SimulatedConsumer]) -> None:
    """Raise AssertionError where the tables contradict each other or what the peers saw."""
    _requests_are_in_one_place(core)
    _slots_are_what_the_tables_say(core)
    _the_index_is_the_truth(core)
    _nobody_waits_beside_a_free_slot(core)
    _every_request_ends_once(core, consumers)


def _requests_are_in_one_place(core: RouterCore) -> None:
    running = [relay for node in core.registry for relay in node.in_flight.values()]
    queued = [relay for entry in core.registry.models.values() for relay in entry.queue]
    places = Counter(map(id, [*running, *queued]))
    assert set(places.values()) <= {1}, "a request in two places"
    assert {id(relay) for relay in core.life.active} == set(places), "active is what runs or waits"
    assert core.life.waiting == len(queued) == _queue_lengths(core)
    assert all(relay.phase is Phase.RUNNING for relay in running)
    assert all(relay.phase is Phase.WAITING and relay.node is None for relay in queued)
    assert not set(map(id, core.life.unread)) & set(places)
    assert all(relay.phase is Phase.ENDED for relay in core.life.unread)


def _queue_lengths(core: RouterCore) -> int:
    return sum(len(entry.queue) for entry in core.registry.models.values())


def _slots_are_what_the_tables_say(core: RouterCore) -> None:
    for node in core.registry:
        for request_id, relay in node.in_flight.items():
            assert relay.node is node
            assert relay.request_id == request_id
            assert node.node_id in relay.tried
            assert relay.request.model in node.models
        held = len(node.in_flight) + len(node.cancelling)
        assert held <= node.registered_slots, "more at a node than it offered"
        assert node.busy_slots >= held
        assert not set(node.in_flight) & set(node.cancelling)
        assert 1 <= node.slots <= node.registered_slots


def _the_index_is_the_truth(core: RouterCore) -> None:
    listed = list(core.registry)
    by_model: dict[str, set[Node]] = {}
    for node in listed:
        for name in node.models:
            by_model.setdefault(name, set()).add(node)
    assert len({node.node_id for node in listed}) == len(listed), "one connection per node_id"
    assert by_model.keys() == core.registry.models.keys()
    for name, entry in core.registry.models.items():
        assert set(entry.nodes) == by_model[name]
        assert set(entry.free) == {node for node in by_model[name] if node.has_free_slot}
        assert len(list(entry.free)) == len(entry.free)
        assert set(entry.usable) == {node for node in by_model[name] if not node.standing.is_out}


def _nobody_waits_beside_a_free_slot(core: RouterCore) -> None:
    for entry in core.registry.models.values():
        for relay in entry.queue:
            idle = [node for node in entry.free if node.node_id not in relay.tried]
            assert not idle, "a request waits although a node could take it"
            probed = [node for node in entry.usable if node.probe is not None and node.may_take]
            assert all(node.node_id in relay.tried for node in probed), "it waits for a probe"
        assert entry.usable or not len(entry.queue), "it waits for nobody"


def _every_request_ends_once(core: RouterCore, consumers: list[SimulatedConsumer]) -> None:
    ended = 0
    for consumer in consumers:
        relay: Relay | None = consumer.relay
        if relay is None:
            continue
        assert len(consumer.endings) + consumer.aborts <= 2
        if relay.phase is Phase.ENDED:
            ended += 1
            assert consumer.endings or consumer.aborts or consumer.left
            assert (relay in core.life.unread) == (not consumer.left and not consumer.aborts)
            assert relay.node is None
        else:
            assert not consumer.endings
            assert not consumer.aborts
            assert not consumer.left
            assert len(relay.tried) <= core.policy.max_attempts
    assert core.counters.requests == ended


def at_rest(core: RouterCore, nodes: list[SimulatedNode]) -> None:
    """Raise AssertionError where something is left after everybody has gone."""
    assert not core.life.active
    assert not core.life.unread
    assert core.life.waiting == 0
    assert len(core.registry) == 0
    assert not core.registry.models
    for node in nodes:
        if node.listed is not None:
            assert not node.listed.in_flight
