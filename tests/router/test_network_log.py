"""The stream of the network's changes: joined anywhere and replayed, it gives the network."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.network_changes import NetworkChanges, apply
from idleclaw_protocol.status import Network
from idleclaw_server.http_chunks import as_chunk
from idleclaw_server.network_log import MAX_BYTES, MAX_EVENTS, NetworkEvent, NetworkLog
from tests.protocol.networks import networks


def replay(known: Network | None, stream: bytes) -> Network:
    """Apply a stream to what a listener knows; it reads no more than the wire promises."""
    for event in stream.decode().split("\n\n")[:-1]:
        number, kind, data = event.split("\n")
        assert number.startswith("id: e-")
        if kind == "event: snapshot":
            known = Network.model_validate_json(data.removeprefix("data: "))
        else:
            assert kind == "event: changes"
            assert known is not None
            known = apply(known, NetworkChanges.model_validate_json(data.removeprefix("data: ")))
    assert known is not None
    return known


def told(network: Network) -> dict[str, object]:
    """Return what a network says, but for the router's age, which alone is not worth an event."""
    return network.model_dump(exclude={"uptime_seconds"})


@given(networks(), st.lists(networks(), max_size=8), st.data())
def test_joined_at_any_moment_and_replayed_the_stream_equals_the_snapshot(
    first: Network, later: list[Network], data: st.DataObject
) -> None:
    log = NetworkLog("e", first)
    joins = data.draw(st.integers(0, len(later)))
    leaves = data.draw(st.integers(joins, len(later)))
    stream, resumed_from, known = b"", "", first
    for moment, network in enumerate([first, *later]):
        event = log.publish(network)
        if moment == joins:
            stream = log.snapshot().data
        elif joins < moment <= leaves and event is not None:
            stream += event.data
        if moment == leaves:
            known, resumed_from = replay(None, stream), f"e-{log.number}"
            assert known == log.network
    seen = log.seen(resumed_from)
    assert seen is not None
    missed = log.after(seen)
    assert missed is not None
    assert replay(known, b"".join(event.data for event in missed)) == log.network
    assert told(log.network) == told([first, *later][-1])


def network(number: int, padding: str = "") -> Network:
    """Return a network whose only fact is a number."""
    totals = {"nodes": number, "models": 0, "slots_total": 0, "running": 0, "queued": 0}
    return Network.model_validate(
        {
            "version": "1",
            "uptime_seconds": number,
            "totals": totals | {"tokens_per_second": 0},
            "models": [{"name": f"m{padding}", "nodes": number, "slots_free": 0, "slots_total": 0}],
            "nodes": [],
        }
    )


def test_a_look_at_an_unchanged_network_is_no_event() -> None:
    log = NetworkLog("e", network(1))
    older = network(1).model_copy(update={"uptime_seconds": 99})
    assert log.publish(older) is None
    assert log.publish(network(2)) is not None


def test_an_event_is_encoded_once() -> None:
    log = NetworkLog("e", network(1))
    event = log.publish(network(2))
    assert log.snapshot() is log.snapshot()
    events = log.after(0)
    assert events is not None
    assert events[0] is event
    assert event.chunk == as_chunk(event.data) == b"%x\r\n%b\r\n" % (len(event.data), event.data)


def test_old_events_are_forgotten() -> None:
    log = NetworkLog("e", network(0))
    for number in range(1, MAX_EVENTS + 2):
        log.publish(network(number))
    assert log.after(0) is None
    kept = log.after(1)
    assert kept is not None
    assert len(kept) == MAX_EVENTS


def test_what_is_kept_is_bounded_in_bytes_too() -> None:
    log = NetworkLog("e", network(0))
    large = [network(number, padding=str(number) * (MAX_BYTES // 4)) for number in range(1, 9)]
    for one in large:
        log.publish(one)
    kept = [log.after(number) for number in range(9)]
    assert sum(len(event.data) for events in kept[-2:] for event in events or ()) <= MAX_BYTES
    assert kept[0] is None
    assert kept[8] == []


def test_ids_of_another_router_or_of_nobody_are_not_resumed() -> None:
    log = NetworkLog("e", network(0))
    log.publish(network(1))
    assert log.seen("e-1") == 1
    for wrong in ("f-1", "e-", "e--1", "", "e-1 ", "x" * 999, "e-" + "9" * 99, "e-\u0661"):
        assert log.seen(wrong) is None
    assert log.after(2) is None, "an event that is yet to be"


def test_an_event_is_one_value() -> None:
    assert NetworkEvent(1, b"data: x\n\n").chunk == b"9\r\ndata: x\n\n\r\n"
