"""The waiting line of a model: turns between clients, order inside one, nobody starves."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_server.fair_queue import FairQueue
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.relay import Relay
from tests.router.recording_sink import RecordingSink

_CLIENTS = st.sampled_from("abcd")


def _relay(client: str, name: str = "") -> Relay:
    request = InferenceRequest(model=name or client, messages=(), client=client)
    return Relay(request, RecordingSink(), 0.0)


def _take_all(queue: FairQueue) -> list[Relay]:
    taken = []
    while (relay := queue.next(lambda _: True)) is not None:
        queue.take(relay)
        taken.append(relay)
    return taken


def test_clients_take_turns_and_each_ones_requests_keep_their_order() -> None:
    queue = FairQueue()
    relays = {name: _relay(name[0], name) for name in ("a1", "a2", "a3", "b1", "b2", "c1")}
    for relay in relays.values():
        queue.add(relay)
    order = [relay.request.model for relay in _take_all(queue)]
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_the_order_of_iteration_is_the_order_of_turns() -> None:
    queue = FairQueue()
    for client in "aabbbc":
        queue.add(_relay(client))
    announced = list(queue)
    assert _take_all(queue) == announced


def test_one_who_has_had_a_turn_waits_for_the_others() -> None:
    queue = FairQueue()
    for client in "aab":
        queue.add(_relay(client))
    first = queue.next(lambda _: True)
    assert first is not None
    queue.take(first)
    queue.add(_relay("c"))
    assert [relay.request.client for relay in _take_all(queue)] == ["b", "a", "c"]


def test_a_returned_request_goes_first() -> None:
    queue = FairQueue()
    queue.add(_relay("a"))
    returned = _relay("z")
    queue.add_returned(returned)
    assert queue.next(lambda _: True) is returned
    assert next(iter(queue)) is returned
    assert queue.remove(returned)
    assert not queue.remove(returned)


def test_one_that_does_not_suit_lets_the_next_pass_and_keeps_its_place() -> None:
    queue = FairQueue()
    a, b = _relay("a"), _relay("b")
    queue.add(a)
    queue.add(b)
    assert queue.next(lambda relay: relay is not a) is b
    queue.take(b)
    assert queue.next(lambda _: True) is a


@given(st.lists(_CLIENTS, max_size=40))
def test_nobody_is_overtaken_more_than_once_a_round(clients: list[str]) -> None:
    """Between two turns of a client that waits, every other one has at most one turn."""
    queue = FairQueue()
    for client in clients:
        queue.add(_relay(client))
    order = [relay.request.client for relay in _take_all(queue)]
    assert sorted(order) == sorted(clients)
    for client in set(clients):
        turns = [at for at, taken in enumerate(order) if taken == client]
        for before, after in zip([-1, *turns], turns, strict=False):
            between = order[before + 1 : after]
            assert len(between) == len(set(between)), f"{client} was overtaken twice: {order}"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), _CLIENTS),
            st.tuples(st.just("return"), _CLIENTS),
            st.tuples(st.just("take"), st.just("")),
            st.tuples(st.just("remove"), st.integers(0, 20).map(str)),
        ),
        max_size=60,
    )
)
def test_length_and_content_agree_after_any_use(uses: list[tuple[str, str]]) -> None:
    queue = FairQueue()
    inside: list[Relay] = []
    for use, what in uses:
        if use in ("add", "return"):
            relay = _relay(what)
            (queue.add if use == "add" else queue.add_returned)(relay)
            inside.append(relay)
        elif use == "take" and (head := queue.next(lambda _: True)) is not None:
            queue.take(head)
            inside.remove(head)
        elif use == "remove" and inside:
            relay = inside.pop(int(what) % len(inside))
            assert queue.remove(relay)
        assert len(queue) == len(inside)
        assert set(map(id, queue)) == set(map(id, inside))
