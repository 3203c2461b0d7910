"""What the Network tab says of the network as a whole, and all of the row under the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui import words
from idleclaw_tui.network.history import TICK_SECONDS, TICKS
from idleclaw_tui.network.rows import STATES
from idleclaw_tui.network.sparks import spark, worth_drawing
from idleclaw_tui.network.view import ModelRow, NetworkView, Picture
from idleclaw_tui.words import Toned

Samples = Sequence[float | None]
Line = tuple[Toned, ...]

_FACT_CELLS: Final = 13
_VALUE_CELLS: Final = 15
_LEAST_SPARK: Final = 8
_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One number that matters, with its past where that is kept."""

    name: str
    value: str
    samples: Samples = ()


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
    """Return the network in as many numbers as fit."""
    if view.picture is None:
        return () if view.error else (Toned(f"{words.WAITING} asking the router", "dim"),)
    parts: list[Toned] = []
    room = width + 2
    nodes, models, *others = tiles(view, now)
    for tile in (*others, nodes, models):
        room -= len(tile.name) + len(tile.value) + 3
        if tile.value == words.UNKNOWN or room < 0:
            continue
        parts += [Toned(f"{tile.name} ", "dim"), Toned(tile.value, "strong"), Toned("  ")]
    return tuple(parts)


def past_shown(width: int) -> str:
    """Return how far back the bars of a detail reach that is `width` cells wide, or nothing."""
    room = _room(width)
    return f"last {words.duration(room * TICK_SECONDS)}" if room else ""


def model_detail(row: ModelRow, view: NetworkView, now: float, width: int) -> list[Line]:
    """Return the lines that say all about a model, `width` cells wide, with its past."""
    context = words.count(row.context_length, "token") if row.context_length else ""
    can = [capability for capability in row.capabilities if capability != "completion"]
    past = view.history.model(row.name, now)
    room = _room(width)
    return _known(
        [
            _moving("speed", _speed(row.tokens_per_second), past.get("tokens_per_second"), room),
            _moving(
                "slots",
                _slots(row.running, row.slots_total),
                past.get("running"),
                room,
                row.slots_total,
            ),
            _moving(
                "waiting",
                "" if row.queued is None else f"{row.queued:,}",
                past.get("queued"),
                room,
            ),
            fact("first token", _first_token(row)),
            fact("nodes", "" if row.nodes is None else f"{row.nodes:,}"),
            fact("size", words.joined(row.parameter_size, row.quantization)),
            fact("on disk", words.size(row.size) if row.size else ""),
            fact("context", context),
            fact("can also", ", ".join(can)),
            fact("memory", "loaded" if row.loaded else ""),
        ]
    )


def node_detail(node: NodeStatus, view: NetworkView, now: float, width: int) -> list[Line]:
    """Return the lines that say all about a node, `width` cells wide, with its past."""
    glyph, tone = STATES[node.state]
    own = node.alias == view.own_alias
    state = f"{glyph} {words.joined(node.state, node.reason)}"
    past = view.history.node(node.alias, now)
    room = _room(width)
    return _known(
        [
            fact("machine", "yours: F4 shows what it does" if own else ""),
            (Toned("state".ljust(_FACT_CELLS), "dim"), Toned(state, tone)),
            _moving("speed", _speed(node.tokens_per_second), past.get("tokens_per_second"), room),
            _moving(
                "slots",
                _slots(node.slots_busy, node.slots_total),
                past.get("running"),
                room,
                node.slots_total,
            ),
            fact("online", words.age(node.uptime_seconds)),
            fact("Ollama", node.ollama_version or ""),
            *_listed("models", node.models),
        ]
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


def _moving(
    name: str, value: str, samples: Samples | None, room: int, top: float | None = None
) -> Line:
    """Return a line with a name, a value and its past in `room` cells; `top` is a full bar."""
    if not room or not worth_drawing(samples or ()):
        return fact(name, value)
    bars = Toned(spark(samples or (), room, top), "second")
    return Toned(name.ljust(_FACT_CELLS), "dim"), Toned(value.ljust(_VALUE_CELLS)), bars


def _room(width: int) -> int:
    """Return the cells that the past gets, 0 where they are too few to tell anything."""
    room = min(width - _FACT_CELLS - _VALUE_CELLS, TICKS)
    return room if room >= _LEAST_SPARK else 0


def _speed(tokens_per_second: float | None) -> str:
    return words.rate(tokens_per_second) if tokens_per_second else ""


def _slots(busy: int | None, total: int | None) -> str:
    return "" if busy is None else f"{busy:,} of {total:,} busy"


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
