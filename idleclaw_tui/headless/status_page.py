"""The plain page that `idleclaw-tui status` prints."""

from collections import Counter
from typing import Final

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui import words
from idleclaw_tui.headless.plain_table import Column, fitted, table
from idleclaw_tui.network.status_report import ReportedModel, StatusReport

MAX_NODE_LINES: Final = 20
"""Nodes beyond these are counted, not listed; `--json` lists all."""

MAX_REASON_CELLS: Final = 24

_STATE_ORDER: Final = ("serving", "idle", "paused", "draining")


def status_page(report: StatusReport, width: int) -> str:
    """Return the page in lines of at most `width` cells; below about 60 they are longer."""
    parts = [_head(report, width), _models(report.models, width), _nodes(report.nodes, width)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(report: StatusReport, width: int) -> list[str]:
    totals = report.totals
    version = f"router {report.version}" if report.version else None
    lines = [
        fitted(report.server, width),
        words.joined(version, f"up {words.duration(report.uptime_seconds)}"),
        words.joined(
            words.count(totals.nodes, "node"),
            words.count(totals.models, "model"),
            _running(totals.running, totals.slots_total),
            f"{totals.queued:,} waiting" if totals.queued else None,
            words.rate(totals.tokens_per_second) if totals.tokens_per_second else None,
        ),
    ]
    if not report.can_answer:
        lines += ["", "Nobody shares a model now. `idleclaw-tui contribute` shares yours."]
    elif report.nodes is None:
        lines += ["", "This router does not tell its nodes, free slots and speeds."]
    return lines


def _running(running: int | None, slots: int | None) -> str | None:
    if running is None or slots == 0:
        return None
    return f"{running:,} running" if slots is None else f"{running:,} of {slots:,} slots busy"


def _models(models: tuple[ReportedModel, ...], width: int) -> list[str]:
    kinds = [
        " ".join(part for part in (model.parameter_size, model.quantization) if part) or None
        for model in models
    ]
    return table(
        [
            Column("MODEL", [model.name for model in models], "left"),
            Column("KIND", [kind and fitted(kind, 16) for kind in kinds], "left"),
            Column("CONTEXT", [_context(model.context_length) for model in models]),
            Column("NODES", [_number(model.nodes) for model in models]),
            Column("FREE", [_free(model) for model in models]),
            Column("QUEUE", _queues(models)),
            Column("TOK/S", [_rate(model.tokens_per_second) for model in models]),
            Column("1ST TOKEN", [_seconds(model.first_token_seconds) for model in models]),
        ],
        width,
    )


def _nodes(nodes: tuple[NodeStatus, ...] | None, width: int) -> list[str]:
    if not nodes:
        return []
    ordered = sorted(nodes, key=lambda node: (_STATE_ORDER.index(node.state), node.alias))
    shown = ordered[:MAX_NODE_LINES]
    lines = table(
        [
            Column("NODE", [node.alias for node in shown], "left"),
            Column("STATE", [_state(node) for node in shown], "left"),
            Column("MODELS", [_number(len(node.models)) for node in shown]),
            Column("BUSY", [f"{node.slots_busy:,}/{node.slots_total:,}" for node in shown]),
            Column("UP", [words.age(node.uptime_seconds) for node in shown]),
            Column("TOK/S", [_rate(node.tokens_per_second) for node in shown]),
        ],
        width,
    )
    return lines + _not_listed(ordered[MAX_NODE_LINES:])


def _not_listed(nodes: list[NodeStatus]) -> list[str]:
    if not nodes:
        return []
    states = Counter(node.state for node in nodes)
    counted = ", ".join(f"{states[state]:,} {state}" for state in _STATE_ORDER if states[state])
    return [f"and {len(nodes):,} more: {counted}. --json lists all."]


def _state(node: NodeStatus) -> str:
    reason = fitted(node.reason, MAX_REASON_CELLS) if node.reason else None
    return f"{node.state} ({reason})" if reason else node.state


def _free(model: ReportedModel) -> str | None:
    if model.slots_free is None or model.slots_total is None:
        return None
    return f"{model.slots_free:,}/{model.slots_total:,}"


def _queues(models: tuple[ReportedModel, ...]) -> list[str | None]:
    """Return who waits for each model; while nobody does the column is left out."""
    waiting = any(model.queued for model in models)
    return [_number(model.queued) if waiting else None for model in models]


def _number(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _context(tokens: int | None) -> str | None:
    return None if tokens is None else words.context(tokens)


def _rate(tokens_per_second: float | None) -> str | None:
    return None if tokens_per_second is None else words.rate_number(tokens_per_second)


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else words.duration(seconds)
