"""What the original's status pages tell, taken from the core: pure, nothing names a node."""

from idleclaw_protocol.status import (
    Capabilities,
    Health,
    Metrics,
    ModelList,
    ModelNodes,
    Readiness,
)
from idleclaw_server.core import RouterCore


def health(core: RouterCore, now: float) -> Health:
    """Return the body of `GET /health`."""
    return Health(
        status="healthy", uptime_seconds=_uptime(core, now), node_count=len(core.registry)
    )


def readiness(core: RouterCore) -> Readiness:
    """Return the body of `GET /health/ready`: whether a chat that comes now could be answered."""
    free = [node for node in core.registry if node.available and node.models]
    if core.life.draining:
        return Readiness(status="draining", node_count=len(free))
    # How many are out is nobody's business, only whether all of them are.
    ready = any(not node.standing.is_out for node in free)
    return Readiness(status="ready" if ready else "no nodes", node_count=len(free))


def model_list(core: RouterCore) -> ModelList:
    """Return the body of `GET /api/models`: chat models only, largest first."""
    entries = sorted(core.registry.models.values(), key=lambda e: -e.size)
    return ModelList(
        models=tuple(entry.name for entry in entries),
        capabilities={
            entry.name: Capabilities(
                thinking="thinking" in entry.capabilities,
                tool_calls="tools" in entry.capabilities,
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


def _uptime(core: RouterCore, now: float) -> int:
    return int(now - core.started_at)
