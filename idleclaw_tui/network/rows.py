"""What the Network tab's tables say."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from idleclaw_protocol.status import NodeState, NodeStatus
from idleclaw_tui import words
from idleclaw_tui.network.order import OWN
from idleclaw_tui.network.table_layout import Cells, Column
from idleclaw_tui.network.view import ModelRow
from idleclaw_tui.words import UNKNOWN, Tone, Toned

MODEL_COLUMNS: Final = (
    Column("model", "model", 16, flexible=True),
    Column("params", "params", 7, rank=6, right=True),
    Column("quant", "quant", 8, rank=7),
    Column("context", "context", 8, rank=5, right=True),
    Column("nodes", "nodes", 6, rank=3, right=True),
    Column("free", "free", 9, rank=1, right=True),
    Column("queue", "queue", 6, rank=4, right=True),
    Column("speed", "tok/s", 6, rank=2, right=True),
    Column("first", "first token", 12, rank=8, right=True),
)
NODE_COLUMNS: Final = (
    Column("node", "node", 17, flexible=True),
    Column("state", "state", 10, rank=1),
    Column("load", "load", 10, rank=2),
    Column("speed", "tok/s", 6, rank=3, right=True),
    Column("uptime", "online", 8, rank=4, right=True),
)
STATES: Final[dict[NodeState, tuple[str, Tone]]] = {
    "serving": (words.ACTIVE, "good"),
    "idle": (words.IDLE, "dim"),
    "paused": (words.PAUSED, "warn"),
    "draining": (words.PAUSED, "warn"),
}
_BAR_CELLS: Final = 4


@dataclass(frozen=True)
class ModelLine:
    """A model as a row of its table."""

    model: ModelRow

    @property
    def key(self) -> str:
        """Its name."""
        return self.model.name

    @cached_property
    def cells(self) -> Cells:
        """What the row says."""
        return model_cells(self.model)


@dataclass(frozen=True)
class NodeLine:
    """A node as a row of its table; `own` is that of this machine."""

    node: NodeStatus
    own: bool = False

    @property
    def key(self) -> str:
        """Its alias."""
        return self.node.alias

    @cached_property
    def cells(self) -> Cells:
        """What the row says."""
        return node_cells(self.node, own=self.own)


def model_cells(row: ModelRow) -> dict[str, Toned]:
    """Return the cells of a model's row, by column."""
    free = UNKNOWN if row.slots_free is None else f"{row.slots_free:,}/{row.slots_total:,}"
    context = words.context(row.context_length) if row.context_length else UNKNOWN
    first = row.first_token_seconds
    return {
        "model": Toned(row.name),
        "params": Toned(row.parameter_size or UNKNOWN, "dim"),
        "quant": Toned(row.quantization or UNKNOWN, "dim"),
        "context": Toned(context, "dim"),
        "nodes": Toned(UNKNOWN if row.nodes is None else f"{row.nodes:,}"),
        "free": Toned(free, "good" if row.slots_free else "warn" if row.slots_free == 0 else "dim"),
        "queue": Toned(UNKNOWN if row.queued is None else f"{row.queued:,}", _queue_tone(row)),
        "speed": Toned(words.rate_number(row.tokens_per_second)),
        "first": Toned(UNKNOWN if first is None else words.duration(first)),
    }


def _queue_tone(row: ModelRow) -> Tone:
    return "warn" if row.queued else "dim"


def node_cells(node: NodeStatus, *, own: bool = False) -> dict[str, Toned]:
    """Return the cells of a node's row, by column."""
    glyph, tone = STATES[node.state]
    alias = Toned(words.joined(OWN, node.alias), "accent") if own else Toned(node.alias)
    return {
        "node": alias,
        "state": Toned(f"{glyph} {node.state}", tone),
        "load": Toned(f"{load_bar(node)} {node.slots_busy}/{node.slots_total}"),
        "speed": Toned(words.rate_number(node.tokens_per_second)),
        "uptime": Toned(words.age(node.uptime_seconds), "dim"),
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
