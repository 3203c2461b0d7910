"""What changed between two looks at the network: what `GET /api/network/events` is made of.

The stream is server-sent events (HTML Living Standard, section 9.2): one of type `snapshot` whose
data is a `Network`, then events of type `changes` whose data is a `NetworkChanges`. Applying them
in turn gives the network as it is.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from idleclaw_protocol.status import ModelStatus, Network, NodeStatus

SNAPSHOT: Final = "snapshot"
CHANGES: Final = "changes"
EventKind = Literal["snapshot", "changes"]

Row = TypeVar("Row", ModelStatus, NodeStatus)
Fields = dict[str, Any]
"""Some of a row's fields, by name, as JSON holds them."""


class NetworkChanges(BaseModel):
    """The rows that came, went or changed, by model name and by alias.

    A row that changed has only the fields that did, one that came has all that are not null.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    uptime_seconds: int
    totals: Fields = {}
    models: dict[str, Fields] = {}
    models_gone: tuple[str, ...] = ()
    nodes: dict[str, Fields] = {}
    nodes_gone: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing but the router's age changed."""
        return not (self.totals or self.models or self.models_gone or self.nodes or self.nodes_gone)


def changes(before: Network, after: Network) -> NetworkChanges:
    """Return what `apply` needs to make `after` of `before`."""
    models, models_gone = _row_changes(_by_name(before.models), _by_name(after.models))
    nodes, nodes_gone = _row_changes(_by_alias(before.nodes), _by_alias(after.nodes))
    return NetworkChanges(
        uptime_seconds=after.uptime_seconds,
        totals=_field_changes(before.totals, after.totals),
        models=models,
        models_gone=models_gone,
        nodes=nodes,
        nodes_gone=nodes_gone,
    )


def apply(before: Network, changed: NetworkChanges) -> Network:
    """Return the network after the changes; rows that did not change are the same objects.

    Raises:
        ValueError: a row came without a field that it needs, or a field has no value of its kind.
    """
    totals = before.totals
    if changed.totals:
        totals = type(totals).model_validate({**totals.__dict__, **changed.totals})
    models, nodes = _by_name(before.models), _by_alias(before.nodes)
    _apply_rows(ModelStatus, "name", models, changed.models, changed.models_gone)
    _apply_rows(NodeStatus, "alias", nodes, changed.nodes, changed.nodes_gone)
    return before.model_copy(
        update={
            "uptime_seconds": changed.uptime_seconds,
            "totals": totals,
            "models": in_model_order(models.values()),
            "nodes": in_node_order(nodes.values()),
        }
    )


def in_model_order(models: Iterable[ModelStatus]) -> tuple[ModelStatus, ...]:
    """Return the models largest first, equal ones by name."""
    return tuple(sorted(models, key=lambda model: (-(model.size or 0), model.name)))


def in_node_order(nodes: Iterable[NodeStatus]) -> tuple[NodeStatus, ...]:
    """Return the nodes by alias."""
    return tuple(sorted(nodes, key=attrgetter("alias")))


def _by_name(models: Iterable[ModelStatus]) -> dict[str, ModelStatus]:
    return {model.name: model for model in models}


def _by_alias(nodes: Iterable[NodeStatus]) -> dict[str, NodeStatus]:
    return {node.alias: node for node in nodes}


def _row_changes(
    before: Mapping[str, Row], after: Mapping[str, Row]
) -> tuple[dict[str, Fields], tuple[str, ...]]:
    changed = {}
    for key, row in after.items():
        known = before.get(key)
        if known is row:
            continue
        if known is None:
            changed[key] = row.model_dump(mode="json", exclude_none=True)
        elif fields := _field_changes(known, row):
            changed[key] = fields
    return changed, tuple(key for key in before if key not in after)


def _field_changes(before: BaseModel, after: BaseModel) -> Fields:
    known = before.__dict__
    return {name: value for name, value in after.__dict__.items() if known[name] != value}


def _apply_rows(
    kind: type[Row],
    key_field: str,
    rows: dict[str, Row],
    changed: Mapping[str, Fields],
    gone: Iterable[str],
) -> None:
    for key in gone:
        rows.pop(key, None)
    for key, fields in changed.items():
        known = rows.get(key)
        whole = fields if known is None else {**known.__dict__, **fields}
        rows[key] = kind.model_validate({**whole, key_field: key})
