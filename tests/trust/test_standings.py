"""Records over reconnects, in a table that cannot be made to forget the bad ones."""

import tracemalloc

from idleclaw_protocol.frames import OfferedModel, Register
from idleclaw_server.standing import Standing, identity_of
from idleclaw_server.standings import Standings

_MODELS = (OfferedModel(name="m", size=1),)


def _identity(node_id: str, secret: str | None = None) -> bytes:
    return identity_of(Register(node_id=node_id, models=_MODELS, secret=secret))


def _fallen(standings: Standings, identity: bytes) -> Standing:
    standing = standings.of(identity)
    while not standing.is_out:
        standing.failed(0.25)
    return standing


def test_an_identity_is_the_node_id_with_its_secret() -> None:
    identities = [
        _identity("a"),
        _identity("b"),
        _identity("a", "one secret"),
        _identity("a", "another"),
        _identity("ab", "c"),
        _identity("a", "bc"),
    ]
    assert len(set(identities)) == len(identities)
    assert _identity("a", "") == _identity("a", None)
    assert b"one secret" not in _identity("a", "one secret")


def test_the_same_identity_gets_its_record_back() -> None:
    standings = Standings(10)
    record = _fallen(standings, _identity("a", "s"))
    assert standings.of(_identity("a", "s")) is record
    assert not standings.of(_identity("a", "t")).is_out


def test_a_thousand_identities_do_not_wash_a_record_away() -> None:
    """A4: the table is bounded, and what it forgets is what nobody wants forgotten."""
    standings = Standings(50)
    bad = _fallen(standings, _identity("bad"))
    for number in range(1_000):
        standings.of(_identity(f"invented {number}"))
        assert len(standings) <= 50
    assert standings.of(_identity("bad")) is bad


def test_where_all_records_are_bad_the_oldest_goes() -> None:
    standings = Standings(3)
    records = [_fallen(standings, _identity(f"{number}")) for number in range(5)]
    for number, record in enumerate(records):
        standings.keep(_identity(f"{number}"), record)
    assert len(standings) == 3
    assert [standings.of(_identity(f"{n}")) is records[n] for n in (2, 3, 4)] == [True] * 3


def test_a_record_that_outlived_its_place_comes_back_with_its_node() -> None:
    standings = Standings(2)
    mine = standings.of(_identity("mine"))
    for number in range(5):
        standings.of(_identity(f"{number}"))
    assert standings.of(_identity("mine")) is not mine
    standings.keep(_identity("mine"), mine)
    assert standings.of(_identity("mine")) is mine


def test_twenty_thousand_identities_take_a_few_megabytes() -> None:
    """A17: as many as a router with room for 10,000 nodes remembers."""
    tracemalloc.start()
    standings = Standings(20_000)
    for number in range(25_000):
        standing = standings.of(_identity(f"{number}"))
        standing.count_request("m", answered=True)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(standings) == 20_000
    assert size < 30e6
