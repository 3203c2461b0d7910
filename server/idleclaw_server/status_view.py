"""What the status endpoints tell, taken from the core: pure, nothing of it names a node."""

from idleclaw_protocol.status import (
    Capabilities,
    Health,
    Metrics,
    ModelList,
    ModelNodes,
    ModelStatus,
    Network,
    NodeState,
    NodeStatus,
    Readiness,
    Totals,
)
from idleclaw_server.core import RouterCore
from idleclaw_server.node import Node
from idleclaw_server.node_registry import ModelEntry


def health(core: RouterCore, now: float) -> Health:
    """Return the body of `GET /health`."""
    return Health(
        status="healthy", uptime_seconds=_uptime(core, now), node_count=len(core.registry)
    )


def readiness(core: RouterCore) -> Readiness:
    """Return the body of `GET /health/ready`: whether a chat that comes now could be answered."""
    free = sum(1 for node in core.registry if node.available and node.models)
    if core.life.draining:
        return Readiness(status="draining", node_count=free)
    return Readiness(status="ready" if free else "no nodes", node_count=free)


def model_list(core: RouterCore) -> ModelList:
    """Return the body of `GET /api/models`: chat models only, largest first."""
    entries = _chat_entries(core)
    return ModelList(
        models=tuple(entry.name for entry in entries),
        capabilities={
            entry.name: Capabilities(
                thinking="thinking" in _capabilities(entry),
                tool_calls="tools" in _capabilities(entry),
            )
            for entry in entries
        },
    )


def metrics(core: RouterCore, now: float) -> Metrics:
    """Return the body of `GET /metrics`, with the names of the original."""
    counts = [
        ModelNodes(name=entry.name, node_count=len(entry.nodes))
        for entry in core.registry.models.values()
    ]
    return Metrics(
        nodes_connected=len(core.registry),
        nodes_registered_total=core.registry.registered_total,
        requests_total=core.counters.requests,
        requests_active=len(core.life.active),
        requests_errors_total=core.counters.errors,
        models_available=tuple(sorted(counts, key=lambda m: -m.node_count)),
        uptime_seconds=_uptime(core, now),
    )


def network(core: RouterCore, version: str, now: float) -> Network:
    """Return the body of `GET /api/network`."""
    nodes = sorted(core.registry, key=lambda node: node.connected_at)
    return Network(
        version=version,
        uptime_seconds=_uptime(core, now),
        totals=Totals(
            nodes=len(nodes),
            models=len(core.registry.models),
            slots_total=sum(node.slots for node in nodes if node.available),
            running=len(core.life.active) - core.life.waiting,
            queued=core.life.waiting,
            tokens_per_second=round(core.deadlines.chunks_per_second.value or 0.0, 1),
        ),
        models=tuple(_model(entry) for entry in _chat_entries(core)),
        nodes=tuple(_node(node, now) for node in nodes),
    )


def _uptime(core: RouterCore, now: float) -> int:
    return int(now - core.started_at)


def _capabilities(entry: ModelEntry) -> tuple[str, ...]:
    return next(iter(entry.nodes)).capabilities(entry.name)


def _chat_entries(core: RouterCore) -> list[ModelEntry]:
    entries = [e for e in core.registry.models.values() if "completion" in _capabilities(e)]
    return sorted(entries, key=lambda e: -next(iter(e.nodes)).models[e.name].size)


def _model(entry: ModelEntry) -> ModelStatus:
    first = next(iter(entry.nodes))
    offers = [node.models[entry.name] for node in entry.nodes]
    described = next((offer for offer in offers if offer.capabilities is not None), offers[0])
    return ModelStatus(
        name=entry.name,
        nodes=len(entry.nodes),
        slots_free=sum(max(0, node.slots - node.busy_slots) for node in entry.free),
        slots_total=sum(node.slots for node in entry.nodes if node.available),
        queued=len(entry.queue),
        size=described.size,
        parameter_size=described.parameter_size,
        quantization=described.quantization,
        context_length=described.context_length,
        capabilities=first.capabilities(entry.name),
        loaded=any(node.has_loaded(entry.name) for node in entry.nodes),
        tokens_per_second=_rounded(entry.speed.tokens_per_second.percentile(50), 1),
        first_token_seconds=_rounded(entry.speed.first_token_seconds.percentile(50), 2),
        first_token_seconds_p95=_rounded(entry.speed.first_token_seconds.percentile(95), 2),
    )


def _node(node: Node, now: float) -> NodeStatus:
    state: NodeState = "idle"
    if not node.available:
        state = "paused"
    elif node.in_flight:
        state = "serving"
    return NodeStatus(
        alias=node.alias,
        state=state,
        reason=node.pause_reason,
        models=tuple(node.models),
        slots_busy=min(node.slots, node.busy_slots),
        slots_total=node.slots,
        uptime_seconds=int(now - node.connected_at),
        ollama_version=node.ollama_version,
        tokens_per_second=_rounded(node.tokens_per_second.value, 1),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
