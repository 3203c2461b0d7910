"""What the network's numbers were during the last two minutes: in all, of a model, of a node."""

from collections import deque
from collections.abc import Container, Iterable, Mapping
from typing import Final, NamedTuple

from idleclaw_protocol.status import NodeStatus

TICK_SECONDS: Final = 2.0
TICKS: Final = 60
MAX_SERIES: Final = 5_000
"""Rows whose numbers are kept, of each kind; a row beyond has no history."""
_MAX_GAPS: Final = 30

Sample = float | None
Numbers = tuple[Sample, ...]


class Series:
    """Some numbers as steps: each holds until the next. Times are ticks.

    Only the last of a tick is kept, and only `TICKS` of them; the oldest goes first.
    """

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: deque[tuple[int, Numbers]] = deque(maxlen=TICKS)

    def note(self, tick: int, numbers: Numbers) -> None:
        """Take in the numbers as they are from `tick` on."""
        if self._steps and self._steps[-1][1] == numbers:
            return
        if self._steps and self._steps[-1][0] == tick:
            self._steps.pop()
        self._steps.append((tick, numbers))

    def at(self, ticks: Iterable[int]) -> list[Numbers | None]:
        """Return the numbers at rising ticks, None before the first that is known."""
        steps, known, found = deque(self._steps), None, []
        for tick in ticks:
            while steps and steps[0][0] <= tick:
                known = steps.popleft()[1]
            found.append(known)
        return found


class TotalsNow(NamedTuple):
    """The whole network at one moment."""

    tokens_per_second: Sample
    running: Sample
    queued: Sample


class ModelNow(NamedTuple):
    """One model at one moment; None where the router does not tell."""

    tokens_per_second: Sample
    running: Sample
    queued: Sample


class NodeNow(NamedTuple):
    """One node at one moment."""

    tokens_per_second: Sample
    running: Sample


class NetworkHistory:
    """Keeps the numbers of all that is online; what goes is forgotten.

    Looks that tell nothing new cost nothing: between two of them everything stayed as it was,
    except while the router was lost.
    """

    def __init__(self) -> None:
        self._totals = Series()
        self._models: dict[str, Series] = {}
        self._nodes: dict[str, Series] = {}
        self._nodes_seen: dict[str, NodeStatus] = {}
        self._gaps: deque[tuple[int, int]] = deque(maxlen=_MAX_GAPS)
        self._lost_at: int | None = None

    def saw(
        self,
        now: float,
        totals: TotalsNow,
        models: Mapping[str, ModelNow],
        nodes: Mapping[str, NodeStatus],
    ) -> None:
        """Take in a look that succeeded at `now` (monotonic seconds)."""
        tick = _tick(now)
        if self._lost_at is not None:
            self._gaps.append((self._lost_at, tick))
            self._lost_at = None
        self._totals.note(tick, totals)
        _forget(self._models, models)
        for name, numbers in models.items():
            _note(self._models, name, tick, numbers)
        _forget(self._nodes, nodes)
        for alias, node in nodes.items():
            if self._nodes_seen.get(alias) is not node:
                _note(self._nodes, alias, tick, _node_now(node))
        self._nodes_seen = dict(nodes)

    def lost(self, now: float) -> None:
        """Note that nobody knows what happens from `now` on."""
        if self._lost_at is None:
            self._lost_at = _tick(now) + 1

    def totals(self, now: float) -> dict[str, list[Sample]]:
        """Return the network's past, by the fields of `TotalsNow`."""
        return self._past(self._totals, TotalsNow._fields, now)

    def model(self, name: str, now: float) -> dict[str, list[Sample]]:
        """Return a model's past, by the fields of `ModelNow`; empty where nothing is known."""
        series = self._models.get(name)
        return self._past(series, ModelNow._fields, now) if series else {}

    def node(self, alias: str, now: float) -> dict[str, list[Sample]]:
        """Return a node's past, by the fields of `NodeNow`; empty where nothing is known."""
        series = self._nodes.get(alias)
        return self._past(series, NodeNow._fields, now) if series else {}

    def _past(self, series: Series, fields: tuple[str, ...], now: float) -> dict[str, list[Sample]]:
        last = _tick(now)
        ticks = range(last - TICKS + 1, last + 1)
        known = [
            None if self._in_gap(tick) else numbers
            for tick, numbers in zip(ticks, series.at(ticks), strict=True)
        ]
        return {
            field: [None if numbers is None else numbers[at] for numbers in known]
            for at, field in enumerate(fields)
        }

    def _in_gap(self, tick: int) -> bool:
        if self._lost_at is not None and tick >= self._lost_at:
            return True
        return any(begin <= tick < end for begin, end in self._gaps)


def _tick(now: float) -> int:
    return int(now // TICK_SECONDS)


def _node_now(node: NodeStatus) -> NodeNow:
    return NodeNow(node.tokens_per_second, float(node.slots_busy))


def _forget(known: dict[str, Series], told: Container[str]) -> None:
    for key in [key for key in known if key not in told]:
        del known[key]


def _note(known: dict[str, Series], key: str, tick: int, numbers: Numbers) -> None:
    series = known.get(key)
    if series is None:
        if len(known) >= MAX_SERIES:
            return
        series = known[key] = Series()
    series.note(tick, numbers)
