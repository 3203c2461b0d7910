"""In which order the rows of the Network tab stand, and which of them: rows that stay put."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from idleclaw_protocol.model_size import parameters
from idleclaw_protocol.status import NodeState, NodeStatus
from idleclaw_tui.network_view import ModelRow

STILL_SECONDS: Final = 30.0
"""How long after a move the rows do not change places."""
RESORT_SECONDS: Final = 5.0
"""How often they may, while nobody moves."""

Row = TypeVar("Row")
Rank = float | str | None
"""What rows are compared by; None, which nobody knows, comes last."""


@dataclass(frozen=True, slots=True)
class SortBy(Generic[Row]):
    """A way to sort: the column it belongs to, in words, and how rows compare.

    A `steady` one does not change while a row is online, so that sorting by it moves nothing.
    """

    column: str
    said: str
    rank: Callable[[Row], Rank]
    descending: bool = True
    steady: bool = False


_STATE_ORDER: Final[dict[NodeState, int]] = {"serving": 0, "idle": 1, "paused": 2, "draining": 3}
MODEL_SORTS: Final[tuple[SortBy[ModelRow], ...]] = (
    SortBy("model", "name", lambda row: natural(row.name), descending=False, steady=True),
    SortBy("params", "parameters", lambda row: parameters(row.parameter_size)),
    SortBy("quant", "quantization", lambda row: row.quantization, descending=False),
    SortBy("context", "context length", lambda row: row.context_length),
    SortBy("nodes", "nodes", lambda row: row.nodes),
    SortBy("free", "free slots", lambda row: row.slots_free),
    SortBy("queue", "queue", lambda row: row.queued),
    SortBy("speed", "speed", lambda row: row.tokens_per_second),
    SortBy("first", "first token", lambda row: row.first_token_seconds, descending=False),
)
NODE_SORTS: Final[tuple[SortBy[NodeStatus], ...]] = (
    SortBy("node", "name", lambda node: node.alias, descending=False, steady=True),
    SortBy("state", "state", lambda node: _STATE_ORDER[node.state], descending=False),
    SortBy("load", "load", lambda node: node.slots_busy / max(1, node.slots_total)),
    SortBy("speed", "speed", lambda node: node.tokens_per_second),
    SortBy("uptime", "time connected", lambda node: node.uptime_seconds),
)
_DIGITS: Final = re.compile("[0-9]+")
_DIGITS_COMPARED: Final = 12


def natural(name: str) -> str:
    """Return what names are compared by, so that qwen3:8b comes before qwen3:14b."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(_DIGITS_COMPARED), name.casefold())


class SteadyOrder(Generic[Row]):
    """Keeps rows in their places while the person moves among them. Times are monotonic seconds.

    Rows that go leave no gap, rows that come are added where the order allows it and else at the
    end. While nobody has moved for half a minute, rows are sorted anew every few seconds.
    """

    def __init__(self, sorts: Sequence[SortBy[Row]]) -> None:
        self._sorts = tuple(sorts)
        self.by = self._sorts[0]
        self.descending = self.by.descending
        self.stale = False
        self._keys: list[str] = []
        self._touched_at = float("-inf")
        self._sorted_at = float("-inf")

    def touched(self, now: float) -> None:
        """Note that the person moves."""
        self._touched_at = now

    def sort_by(self, column: str, now: float) -> bool:
        """Sort by a column, backwards where that is the order already; False: there is no way."""
        by = next((by for by in self._sorts if by.column == column), None)
        if by is None:
            return False
        self.descending = not self.descending if by is self.by else by.descending
        self.by = by
        self.sort_now(now)
        return True

    def sort_by_next(self, columns: Sequence[str], now: float) -> None:
        """Sort by the next of `columns` that rows can be sorted by."""
        sorts = [by.column for by in self._sorts if by.column in columns]
        at = sorts.index(self.by.column) if self.by.column in sorts else -1
        if len(sorts) > 1:
            self.sort_by(sorts[(at + 1) % len(sorts)], now)

    def sort_now(self, now: float) -> None:
        """Sort anew with the next rows, then keep still."""
        self._keys = []
        self._touched_at = now

    def arrange(self, rows: Mapping[str, Row], now: float) -> list[str]:
        """Return the keys of `rows` in the order to show."""
        wanted = sorted_keys(rows, self.by, descending=self.descending)
        moves = now - self._touched_at < STILL_SECONDS or now - self._sorted_at < RESORT_SECONDS
        if self.by.steady or not self._keys or not moves:
            self._keys, self._sorted_at = wanted, now
        elif self._keys != wanted:
            kept = [key for key in self._keys if key in rows]
            known = set(kept)
            self._keys = kept + [key for key in wanted if key not in known]
        self.stale = self._keys != wanted and now - self._touched_at < STILL_SECONDS
        return self._keys


def sorted_keys(rows: Mapping[str, Row], by: SortBy[Row], *, descending: bool) -> list[str]:
    """Return the keys of `rows` sorted, equal ones by key, unknown ones last."""
    ranks: dict[str, Any] = {key: by.rank(rows[key]) for key in sorted(rows)}
    known = [key for key, rank in ranks.items() if rank is not None]
    known.sort(key=ranks.__getitem__, reverse=descending)
    return known + [key for key, rank in ranks.items() if rank is None]


class Filter:
    """Words that a row must hold, all of them, in whatever case and order."""

    def __init__(self, words: str = "") -> None:
        self.words = " ".join(words.split())
        self._wanted = self.words.casefold().split()

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def models(self, models: Sequence[ModelRow]) -> dict[str, ModelRow]:
        """Return the models that hold the words, by name."""
        return {row.name: row for row in models if self._in(row.name, *_model_words(row))}

    def nodes(self, nodes: Sequence[NodeStatus], own: str | None) -> dict[str, NodeStatus]:
        """Return the nodes that hold the words, by alias; one of them may be one's own."""
        return {
            node.alias: node
            for node in nodes
            if self._in(node.alias, node.state, OWN if node.alias == own else "", *node.models)
        }

    def _in(self, *texts: str) -> bool:
        if not self._wanted:
            return True
        line = "\n".join(texts).casefold()
        return all(word in line for word in self._wanted)


OWN: Final = "yours"
"""The word for one's own node."""


def _model_words(row: ModelRow) -> tuple[str, ...]:
    return (row.parameter_size or "", row.quantization or "", *row.capabilities)
