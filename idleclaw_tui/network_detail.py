"""What the Network tab says of the network as a whole, and all of the row under the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui import words
from idleclaw_tui.network_history import TICK_SECONDS, TICKS
from idleclaw_tui.network_rows import STATES
from idleclaw_tui.network_view import ModelRow, NetworkView, Picture
from idleclaw_tui.sparks import spark
from idleclaw_tui.words import Toned

Samples = Sequence[float | None]
Line = tuple[Toned, ...]

_FACT_CELLS: Final = 13
_VALUE_CELLS: Final = 7
_LEAST_SPARK: Final = 8
_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One number that matters, with its past where that is kept."""

    name: str
    value: str
    samples: Samples = ()


@dataclass(frozen=True, slots=True)
class Past:
    """A number over time as the detail shows it; `top` is what a full bar stands for."""

    name: str
    samples: Samples | None
    now: str
    top: float | None = None


def tiles(view: NetworkView, now: float) -> list[Tile]:
    """Return the whole network in five numbers; what the router does not tell is a dash."""
    picture = view.picture
    if picture is None:
        names = ("nodes", "models", "running", "waiting", "tok/s")
        return [Tile(name, words.UNKNOWN) for name in names]
    past = view.history.totals(now)
    return [
        Tile("nodes", f"{picture.node_count:,}"),
        Tile("models", f"{len(picture.models):,}"),
        Tile("running", _running(picture), past["running"]),
        Tile("waiting", _number(picture.queued), past["queued"]),
        Tile("tok/s", words.rate_number(picture.tokens_per_second), past["tokens_per_second"]),
    ]


def totals_line(view: NetworkView, now: float, width: int) -> Line:
    """Return the network in as many numbers as fit, with their age where they are old."""
    picture = view.picture
    if picture is None:
        return () if view.error else (Toned(f"{words.WAITING} asking the router", "dim"),)
    stale = view.staleness(now)
    parts = [Toned(f"{stale}  ", "bad")] if stale else []
    room = width - sum(len(part.text) for part in parts)
    nodes, models, *others = tiles(view, now)
    for tile in (*others, nodes, models):
        room -= len(tile.name) + len(tile.value) + 3
        if tile.value == words.UNKNOWN or room < -2:
            continue
        parts += [Toned(f"{tile.name} ", "dim"), Toned(tile.value, "strong"), Toned("  ")]
    return tuple(parts)


def model_detail(row: ModelRow, view: NetworkView, now: float, width: int) -> list[Line]:
    """Return the lines that say all about a model, `width` cells wide, its past last."""
    size = words.size(row.size) if row.size else None
    context = words.count(row.context_length, "token") if row.context_length else ""
    free = "" if row.slots_free is None else f"{row.slots_free:,} of {row.slots_total:,}"
    can = [capability for capability in row.capabilities if capability != "completion"]
    facts = [
        fact("speed", words.rate(row.tokens_per_second) if row.tokens_per_second else ""),
        fact("first token", _first_token(row)),
        fact("free slots", free),
        fact("waiting", "" if row.queued is None else f"{row.queued:,}"),
        fact("nodes", "" if row.nodes is None else f"{row.nodes:,}"),
        fact("size", words.joined(row.parameter_size, row.quantization)),
        fact("on disk", size or ""),
        fact("context", context),
        fact("can also", ", ".join(can)),
        fact("memory", "loaded" if row.loaded else ""),
    ]
    past = view.history.model(row.name, now)
    return _known(facts) + _past(
        [
            Past("tok/s", past.get("tokens_per_second"), words.rate_number(row.tokens_per_second)),
            Past("running", past.get("running"), _number(row.running), row.slots_total),
            Past("waiting", past.get("queued"), _number(row.queued)),
        ],
        width,
    )


def node_detail(node: NodeStatus, view: NetworkView, now: float, width: int) -> list[Line]:
    """Return the lines that say all about a node, `width` cells wide, its past last."""
    glyph, tone = STATES[node.state]
    speed = words.rate(node.tokens_per_second) if node.tokens_per_second else ""
    own = node.alias == view.own_alias
    state = f"{glyph} {words.joined(node.state, node.reason)}"
    facts: list[Line] = [
        fact("machine", "yours: F4 shows what it does" if own else ""),
        (Toned("state".ljust(_FACT_CELLS), "dim"), Toned(state, tone)),
        fact("slots", f"{node.slots_busy} of {node.slots_total} busy"),
        fact("speed", speed),
        fact("online", words.age(node.uptime_seconds)),
        fact("Ollama", node.ollama_version or ""),
        *_listed("models", node.models),
    ]
    past = view.history.node(node.alias, now)
    return _known(facts) + _past(
        [
            Past("tok/s", past.get("tokens_per_second"), words.rate_number(node.tokens_per_second)),
            Past("running", past.get("running"), _number(node.slots_busy), node.slots_total),
        ],
        width,
    )


def fact(name: str, value: str) -> Line:
    """Return a line with a name and a value."""
    return Toned(name.ljust(_FACT_CELLS), "dim"), Toned(value)


def _listed(name: str, values: Sequence[str]) -> list[Line]:
    shown = list(values[:_LISTED])
    if len(values) > _LISTED:
        shown.append(f"and {len(values) - _LISTED:,} more")
    return [fact("" if at else name, value) for at, value in enumerate(shown)]


def _known(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line[1].text]


def _past(series: Sequence[Past], width: int) -> list[Line]:
    room = min(width - _FACT_CELLS - _VALUE_CELLS, TICKS)
    lines = [
        (
            Toned(past.name.ljust(_FACT_CELLS), "dim"),
            Toned(spark(past.samples, room, past.top), "second"),
            Toned(past.now.rjust(_VALUE_CELLS)),
        )
        for past in series
        if past.samples is not None and any(sample is not None for sample in past.samples)
    ]
    if not lines or room < _LEAST_SPARK:
        return []
    last = words.duration(room * TICK_SECONDS)
    return [(), (Toned(f"last {last}", "dim"),), *lines]


def _running(picture: Picture) -> str:
    total = picture.slots_total
    return f"{picture.running:,}" if total is None else f"{picture.running:,}/{total:,}"


def _number(value: int | None) -> str:
    return words.UNKNOWN if value is None else f"{value:,}"


def _first_token(row: ModelRow) -> str:
    if row.first_token_seconds is None:
        return ""
    median = words.duration(row.first_token_seconds)
    slow = row.first_token_seconds_p95
    return f"{median}, 1 in 20 {words.duration(slow)}" if slow is not None else median
