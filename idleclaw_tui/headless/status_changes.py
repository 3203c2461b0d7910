"""What changed between two reports, as lines that a person or a log can read."""

from collections.abc import Iterable
from typing import Final

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui import words
from idleclaw_tui.network.status_report import ReportedModel, StatusReport

MAX_LINES: Final = 20
"""Changes beyond these are counted, not told; `--json` tells all."""


def summary(report: StatusReport) -> str:
    """Return the network in a few numbers."""
    totals = report.totals
    slots = None
    if totals.running is not None:
        of = f" of {totals.slots_total:,} slots" if totals.slots_total is not None else ""
        slots = f"{totals.running:,}{of} busy"
    return words.joined(
        words.count(totals.nodes, "node"),
        words.count(totals.models, "model"),
        slots,
        f"{totals.queued:,} waiting" if totals.queued is not None else None,
    )


def change_lines(before: StatusReport, after: StatusReport) -> list[str]:
    """Return a line for each model and node that came, left or changed for those who ask.

    Speeds and ages change all the time and are not told. Above 20 lines the rest are counted.
    """
    models_before = {model.name: model for model in before.models}
    nodes_before = {node.alias: node for node in before.nodes or ()}
    models_after = {model.name: model for model in after.models}
    nodes_after = {node.alias: node for node in after.nodes or ()}
    lines = [
        *_gone("model", models_before, models_after),
        *_gone("node", nodes_before, nodes_after),
        *(
            _line("model", name, _model(model), models_before.get(name) is None)
            for name, model in models_after.items()
            if name not in models_before or _model(models_before[name]) != _model(model)
        ),
        *(
            _line("node", alias, _node(node), nodes_before.get(alias) is None)
            for alias, node in nodes_after.items()
            if alias not in nodes_before or _node(nodes_before[alias]) != _node(node)
        ),
    ]
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], f"and {len(lines) - MAX_LINES:,} more changes"]
    return lines


def _gone(kind: str, before: Iterable[str], after: Iterable[str]) -> list[str]:
    left = set(after)
    return [f"- {kind} {key}" for key in before if key not in left]


def _line(kind: str, key: str, said: str, came: bool) -> str:
    return words.joined(f"{'+' if came else ' '} {kind} {key}", said)


def _model(model: ReportedModel) -> str:
    free = None
    if model.slots_free is not None and model.slots_total is not None:
        free = f"{model.slots_free:,} of {model.slots_total:,} slots free"
    return words.joined(
        words.count(model.nodes, "node") if model.nodes is not None else None,
        free,
        f"{model.queued:,} waiting" if model.queued else None,
    )


def _node(node: NodeStatus) -> str:
    return words.joined(node.state, node.reason)
