"""What the Network tab's tables and its detail pane say."""

from typing import Final

from idleclaw_protocol.status import NodeState, NodeStatus
from idleclaw_tui import words
from idleclaw_tui.network_view import ModelRow, NetworkView, Picture
from idleclaw_tui.words import UNKNOWN, Tone, Toned

_STATES: Final[dict[NodeState, tuple[str, Tone]]] = {
    "serving": (words.ACTIVE, "good"),
    "idle": (words.IDLE, "dim"),
    "paused": (words.PAUSED, "warn"),
    "draining": (words.PAUSED, "warn"),
}
_BAR_CELLS: Final = 4
_FACT_CELLS: Final = 13


def model_cells(row: ModelRow) -> dict[str, Toned]:
    """Return the cells of a model's row, by column."""
    free = UNKNOWN if row.slots_free is None else f"{row.slots_free}/{row.slots_total}"
    context = words.context(row.context_length) if row.context_length else UNKNOWN
    first = row.first_token_seconds
    return {
        "model": Toned(row.name),
        "params": Toned(row.parameter_size or UNKNOWN, "dim"),
        "quant": Toned(row.quantization or UNKNOWN, "dim"),
        "context": Toned(context, "dim"),
        "nodes": Toned(UNKNOWN if row.nodes is None else f"{row.nodes:,}"),
        "free": Toned(free, "good" if row.slots_free else "warn" if row.slots_free == 0 else "dim"),
        "queue": Toned(UNKNOWN if row.queued is None else str(row.queued), _queue_tone(row)),
        "speed": Toned(words.rate_number(row.tokens_per_second)),
        "first": Toned(UNKNOWN if first is None else words.duration(first)),
    }


def _queue_tone(row: ModelRow) -> Tone:
    return "warn" if row.queued else "dim"


def node_cells(node: NodeStatus) -> dict[str, Toned]:
    """Return the cells of a node's row, by column."""
    glyph, tone = _STATES[node.state]
    return {
        "node": Toned(node.alias),
        "state": Toned(f"{glyph} {node.state}", tone),
        "load": Toned(f"{load_bar(node)} {node.slots_busy}/{node.slots_total}"),
        "speed": Toned(words.rate_number(node.tokens_per_second)),
        "uptime": Toned(words.duration(node.uptime_seconds), "dim"),
    }


def load_bar(node: NodeStatus) -> str:
    """Return how full a node is as four cells: one busy slot shows, full means full."""
    if node.slots_total <= 0 or node.slots_busy <= 0:
        return "░" * _BAR_CELLS
    if node.slots_busy >= node.slots_total:
        return "█" * _BAR_CELLS
    filled = round(node.slots_busy / node.slots_total * _BAR_CELLS)
    filled = min(max(filled, 1), _BAR_CELLS - 1)
    return "█" * filled + "░" * (_BAR_CELLS - filled)


def model_detail(row: ModelRow) -> list[tuple[Toned, ...]]:
    """Return the lines that say all about a model."""
    size = words.size(row.size) if row.size else None
    context = words.count(row.context_length, "token") if row.context_length else ""
    free = "" if row.slots_free is None else f"{row.slots_free} of {row.slots_total}"
    can = [capability for capability in row.capabilities if capability != "completion"]
    lines = [
        _fact("size", words.joined(row.parameter_size, row.quantization)),
        _fact("on disk", size or ""),
        _fact("context", context),
        _fact("can also", ", ".join(can)),
        _fact("nodes", "" if row.nodes is None else f"{row.nodes:,}"),
        _fact("free slots", free),
        _fact("waiting", "" if row.queued is None else f"{row.queued:,}"),
        _fact("speed", words.rate(row.tokens_per_second) if row.tokens_per_second else ""),
        _fact("first token", _first_token(row)),
        _fact("memory", "loaded" if row.loaded else ""),
    ]
    return [line for line in lines if line[1].text]


def node_detail(node: NodeStatus) -> list[tuple[Toned, ...]]:
    """Return the lines that say all about a node."""
    glyph, tone = _STATES[node.state]
    speed = words.rate(node.tokens_per_second) if node.tokens_per_second else ""
    lines: list[tuple[Toned, ...]] = [
        (
            Toned("state".ljust(_FACT_CELLS), "dim"),
            Toned(f"{glyph} {words.joined(node.state, node.reason)}", tone),
        ),
        _fact("slots", f"{node.slots_busy} of {node.slots_total} busy"),
        _fact("speed", speed),
        _fact("connected", words.duration(node.uptime_seconds)),
        _fact("Ollama", node.ollama_version or ""),
        _fact("models", ", ".join(node.models)),
    ]
    return [line for line in lines if line[1].text]


def _fact(name: str, value: str) -> tuple[Toned, Toned]:
    return Toned(name.ljust(_FACT_CELLS), "dim"), Toned(value)


def _first_token(row: ModelRow) -> str:
    if row.first_token_seconds is None:
        return ""
    median = words.duration(row.first_token_seconds)
    slow = row.first_token_seconds_p95
    return f"{median}, 1 in 20 {words.duration(slow)}" if slow is not None else median


def totals_line(view: NetworkView, now: float) -> tuple[Toned, ...]:
    """Return the network in a few numbers, with their age where they are old."""
    picture = view.picture
    if picture is None:
        return () if view.error else (Toned(f"{words.WAITING} asking the router", "dim"),)
    parts: list[Toned] = []
    for name, value in _totals(picture):
        parts += [Toned(f"{name} ", "dim"), Toned(value, "strong"), Toned("   ")]
    if stale := view.staleness(now):
        parts.append(Toned(stale, "bad"))
    elif picture.tokens_per_second is not None:
        parts.append(Toned(words.rate(picture.tokens_per_second).rjust(9), "strong"))
    return tuple(parts)


def _totals(picture: Picture) -> list[tuple[str, str]]:
    running = f"{picture.running:,}"
    if picture.slots_total is not None:
        running += f"/{picture.slots_total:,}"
    totals = [
        ("nodes", f"{picture.node_count:,}"),
        ("models", f"{len(picture.models):,}"),
        ("running", running),
    ]
    if picture.queued is not None:
        totals.append(("waiting", f"{picture.queued:,}"))
    return totals
