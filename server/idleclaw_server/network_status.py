"""What `/api/network` tells, taken from the core: pure, nothing of it names a node."""

import re
from collections import defaultdict
from typing import Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_protocol.network_changes import in_model_order, in_node_order
from idleclaw_protocol.status import ModelStatus, Network, NodeStatus, Totals
from idleclaw_server.core import RouterCore
from idleclaw_server.node import Node
from idleclaw_server.node_registry import ModelEntry
from idleclaw_server.node_status import node_status, uptime_step

_KNOWN_CAPABILITIES: Final = frozenset(
    "audio completion embedding image insert thinking tools vision".split()
)
_PARAMETER_SIZE: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?[KMBT]?")
_QUANTIZATION: Final = re.compile(r"[A-Za-z0-9_]{1,16}")

_Told = tuple[object, ...]


class NetworkStatus:
    """Looks at a core again and again; rows that did not change stay the same objects.

    What it keeps between two looks is bounded by the nodes that are connected.
    """

    def __init__(self, core: RouterCore, version: str) -> None:
        self._core = core
        self._version = version
        self._nodes: dict[Node, tuple[_Told, NodeStatus]] = {}

    def at(self, now: float) -> Network:
        """Return the network as it is."""
        core, slots = self._core, _Slots()
        self._nodes = {node: self._node(node, slots, now) for node in core.registry}
        models = [self._model(entry, slots) for entry in core.registry.models.values()]
        return Network(
            version=self._version,
            uptime_seconds=int(now - core.started_at),
            totals=Totals(
                nodes=len(self._nodes),
                models=len(models),
                slots_total=slots.in_all,
                running=len(core.life.active) - core.life.waiting,
                queued=core.life.waiting,
                tokens_per_second=round(core.deadlines.chunks_per_second.value or 0.0, 1),
            ),
            models=in_model_order(models),
            nodes=in_node_order([status for _, status in self._nodes.values()]),
        )

    def _node(self, node: Node, slots: "_Slots", now: float) -> tuple[_Told, NodeStatus]:
        busy = node.busy_slots
        if node.available:
            slots.add(node, busy)
        told = (
            node.available,
            busy,
            node.slots,
            bool(node.in_flight),
            node.pause_reason,
            uptime_step(now - node.connected_at),
            node.tokens_per_second.count,
        )
        known = self._nodes.get(node)
        if known is not None and known[0] == told:
            return known
        return told, node_status(node, now)

    def _model(self, entry: ModelEntry, slots: "_Slots") -> ModelStatus:
        offer = _described(entry)
        capabilities = entry.capabilities
        free = slots.free[entry.name]
        speed = entry.speed
        return ModelStatus(
            name=entry.name,
            nodes=len(entry.nodes),
            slots_free=free,
            slots_total=slots.total[entry.name],
            queued=len(entry.queue),
            size=offer.size,
            parameter_size=_matching(_PARAMETER_SIZE, offer.parameter_size),
            quantization=_matching(_QUANTIZATION, offer.quantization),
            context_length=offer.context_length,
            capabilities=tuple(sorted(_KNOWN_CAPABILITIES.intersection(capabilities))),
            loaded=any(node.has_loaded(entry.name) for node in entry.nodes),
            tokens_per_second=_two_digits(speed.tokens_per_second.percentile(50)),
            tokens_per_second_p95=_two_digits(speed.tokens_per_second.percentile(95)),
            first_token_seconds=_two_digits(speed.first_token_seconds.percentile(50)),
            first_token_seconds_p95=_two_digits(speed.first_token_seconds.percentile(95)),
            wait_seconds=self._wait_seconds(entry, free),
        )

    def _wait_seconds(self, entry: ModelEntry, free: int) -> float | None:
        if free:
            return 0.0
        turn = self._core.deadlines.seconds_per_turn(entry)
        return None if turn is None else round(turn * (len(entry.queue) + 1), 1)


class _Slots:
    """Free and total slots of each model, counted in one pass over the nodes."""

    def __init__(self) -> None:
        self.free: defaultdict[str, int] = defaultdict(int)
        self.total: defaultdict[str, int] = defaultdict(int)
        self.in_all = 0

    def add(self, node: Node, busy: int) -> None:
        """Count a node's slots for all of its models."""
        total = node.slots
        free = max(0, total - busy)
        self.in_all += total
        for name in node.models:
            self.total[name] += total
            self.free[name] += free


def _described(entry: ModelEntry) -> OfferedModel:
    offers = (node.models[entry.name] for node in entry.nodes)
    first = next(iter(entry.nodes)).models[entry.name]
    return next((offer for offer in offers if offer.capabilities is not None), first)


def _matching(pattern: re.Pattern[str], text: str | None) -> str | None:
    """Return a detail of a model only where it is one: these are strangers' words."""
    return text if text is not None and pattern.fullmatch(text) else None


def _two_digits(value: float | None) -> float | None:
    """Return a speed or a time in two digits: one node alone may have made all of it."""
    return None if value is None else float(f"{value:.2g}")
