"""What changed between two networks, and applying it."""

import pytest
from hypothesis import given

from idleclaw_protocol.network_changes import NetworkChanges, apply, changes
from idleclaw_protocol.status import Network
from tests.protocol.networks import networks


@given(networks(), networks())
def test_applying_the_changes_gives_the_network_after_them(before: Network, after: Network) -> None:
    assert apply(before, changes(before, after)) == after


@given(networks(), networks())
def test_so_it_does_after_a_way_through_json(before: Network, after: Network) -> None:
    told = changes(before, after).model_dump_json(exclude_defaults=True)
    assert apply(before, NetworkChanges.model_validate_json(told)) == after


@given(networks(), networks())
def test_only_what_changed_is_told(before: Network, after: Network) -> None:
    told = changes(before, after)
    known = {model.name: model for model in before.models}
    for model in after.models:
        fields = told.models.get(model.name, {})
        if model.name in known:
            was, now = known[model.name].model_dump(), model.model_dump()
            assert fields == {name: now[name] for name in now if now[name] != was[name]}
    assert changes(after, after).empty


@given(networks(), networks())
def test_rows_that_did_not_change_stay_the_same_objects(before: Network, after: Network) -> None:
    told = changes(before, after)
    known = {node.alias: node for node in before.nodes}
    for node in apply(before, told).nodes:
        assert node.alias in told.nodes or node is known[node.alias]


SMALL = Network.model_validate(
    {
        "version": "1",
        "uptime_seconds": 1,
        "totals": dict.fromkeys(
            ("nodes", "models", "slots_total", "running", "queued", "tokens_per_second"), 0
        ),
        "models": [],
        "nodes": [],
    }
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": {"a": {"slots_free": 1}}},
        {"nodes": {"a": {"state": "on fire"}}},
        {"totals": {"nodes": "many"}},
    ],
    ids=["an unknown row of which a part is told", "no such state", "no number"],
)
def test_changes_that_fit_nothing_are_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        apply(SMALL, NetworkChanges.model_validate({"uptime_seconds": 2, **wrong}))


def test_a_row_is_called_what_its_key_says() -> None:
    row = {"name": "other", "nodes": 1, "slots_free": 1, "slots_total": 1}
    told = NetworkChanges(uptime_seconds=2, models={"a:1b": row})
    assert [model.name for model in apply(SMALL, told).models] == ["a:1b"]
