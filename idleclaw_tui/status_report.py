"""One report of a router's state, whichever status pages the router has.

What the router does not tell is None. The report's JSON is what `idleclaw-tui status --json`
prints: names as in `/api/network`, sizes in bytes, times in seconds.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict

from idleclaw_protocol.status import Health, Metrics, ModelList, Network, NodeStatus


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class ReportedTotals(_Report):
    """The whole network in a few numbers."""

    nodes: int
    models: int
    slots_total: int | None = None
    running: int | None = None
    queued: int | None = None
    tokens_per_second: float | None = None


class ReportedModel(_Report):
    """One model over all nodes that have it."""

    name: str
    nodes: int | None = None
    slots_free: int | None = None
    slots_total: int | None = None
    queued: int | None = None
    size: int | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    capabilities: tuple[str, ...] = ()
    loaded: bool | None = None
    tokens_per_second: float | None = None
    tokens_per_second_p95: float | None = None
    first_token_seconds: float | None = None
    first_token_seconds_p95: float | None = None
    wait_seconds: float | None = None


class StatusReport(_Report):
    """What a router at `server` tells; `nodes` is None where it does not list them."""

    server: str
    version: str | None
    uptime_seconds: int
    totals: ReportedTotals
    models: tuple[ReportedModel, ...]
    nodes: tuple[NodeStatus, ...] | None

    @property
    def can_answer(self) -> bool:
        """Whether there is a node, and a model on it."""
        return self.totals.nodes > 0 and bool(self.models)

    def model(self, name: str) -> ReportedModel | None:
        """Return the model of that name, if it is online."""
        return next((model for model in self.models if model.name == name), None)

    @classmethod
    def of(cls, server: str, sight: Network | tuple[Health, ModelList, Metrics]) -> Self:
        """Return the report that `/api/network` gives, or without it the original's pages."""
        if isinstance(sight, Network):
            return cls.from_network(server, sight)
        return cls.from_basics(server, *sight)

    @classmethod
    def from_network(cls, server: str, network: Network) -> Self:
        """Return the report that `/api/network` gives."""
        return cls(
            server=server,
            version=network.version,
            uptime_seconds=network.uptime_seconds,
            totals=ReportedTotals(**network.totals.model_dump()),
            models=tuple(ReportedModel(**model.model_dump()) for model in network.models),
            nodes=network.nodes,
        )

    @classmethod
    def from_basics(cls, server: str, health: Health, models: ModelList, metrics: Metrics) -> Self:
        """Return the report that the original's three pages give."""
        nodes = {entry.name: entry.node_count for entry in metrics.models_available}
        return cls(
            server=server,
            version=None,
            uptime_seconds=health.uptime_seconds,
            totals=ReportedTotals(
                nodes=health.node_count,
                models=len(models.models),
                running=metrics.requests_active,
            ),
            models=tuple(
                ReportedModel(
                    name=name, nodes=nodes.get(name), capabilities=_capabilities(models, name)
                )
                for name in models.models
            ),
            nodes=None,
        )


def _capabilities(models: ModelList, name: str) -> tuple[str, ...]:
    known = models.capabilities.get(name)
    if known is None:
        return ()
    return ("thinking",) * known.thinking + ("tools",) * known.tool_calls
