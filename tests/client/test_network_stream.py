"""What a stream of changes adds up to, whatever a router sends."""

import json
from typing import Any

import pytest
from hypothesis import given

from idleclaw_protocol.network_changes import changes
from idleclaw_protocol.status import Network
from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_tui.router.network_stream import NetworkStream, NotUnderstood
from tests.network_pages import NETWORK, model
from tests.protocol.networks import networks


def known() -> NetworkStream:
    """Return a stream after its snapshot."""
    stream = NetworkStream()
    stream.decode("snapshot", "e-0", json.dumps(NETWORK))
    return stream


@given(networks(), networks())
def test_a_snapshot_and_its_changes(before: Network, after: Network) -> None:
    stream = NetworkStream()
    assert stream.decode("snapshot", "e-0", before.model_dump_json()) == before
    told = changes(before, after).model_dump_json(exclude_defaults=True)
    assert stream.decode("changes", "e-1", told) == after
    assert stream.network == after
    assert stream.last_event_id == "e-1"


def test_events_of_unknown_kinds_change_nothing() -> None:
    stream = known()
    assert stream.decode("news", "e-9", "{") is None
    assert stream.decode("message", "", "") is None
    assert stream.last_event_id == "e-0"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("changes", "{"),
        ("changes", "[]"),
        ("changes", '{"uptime_seconds": 1, "models": {"new:1b": {"queued": 1}}}'),
        ("snapshot", '{"version": 1}'),
        ("snapshot", "[" * 100_000),
    ],
)
def test_what_is_not_understood_begins_the_stream_anew(kind: str, data: str) -> None:
    stream = known()
    with pytest.raises(NotUnderstood):
        stream.decode(kind, "e-1", data)
    assert (stream.network, stream.last_event_id) == (None, "")


def test_changes_before_a_snapshot_are_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        NetworkStream().decode("changes", "e-1", '{"uptime_seconds": 1}')


@pytest.mark.parametrize("wrong", ["", "x" * 129, "é", "a b", "\x7f"])
def test_an_id_that_no_header_can_hold_is_forgotten(wrong: str) -> None:
    stream = known()
    stream.decode("changes", wrong, '{"uptime_seconds": 1}')
    assert stream.last_event_id == ""


def test_names_in_changes_are_cleaned_as_those_of_the_page_are() -> None:
    """A7: a row that changes is found again under its clean name, and no dirty one is shown."""
    hostile = "\x1b]0;evil\x07a\u202eb:1b"
    stream = NetworkStream()
    page: dict[str, Any] = NETWORK | {"models": [model(hostile)]}
    stream.decode("snapshot", "e-0", json.dumps(page))
    told = {"uptime_seconds": 1, "models": {hostile: {"queued": 7}, f"{hostile}2": model("x")}}
    network = stream.decode("changes", "e-1", json.dumps(told))
    assert network is not None
    assert {row.name: row.queued for row in network.models} == {"ab:1b": 7, "ab:1b2": 0}
    assert all(is_unsafe(row.name) is None for row in network.models)
