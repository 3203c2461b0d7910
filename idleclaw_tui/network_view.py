"""What the screen knows of the network: the last picture of it, how old that is, and its past."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from idleclaw_protocol.status import (
    Health,
    Metrics,
    ModelList,
    ModelStatus,
    Network,
    NodeStatus,
)
from idleclaw_tui import words
from idleclaw_tui.model_choice import commonest_model, fastest_model
from idleclaw_tui.network_history import ModelNow, NetworkHistory, TotalsNow
from idleclaw_tui.words import Toned

MISSING: Final = "This router does not tell its nodes, free slots and speeds."


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model online; None stands for what the router does not tell. Sizes in bytes."""

    name: str
    nodes: int | None
    slots_free: int | None = None
    slots_total: int | None = None
    queued: int | None = None
    size: int | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    capabilities: tuple[str, ...] = ()
    loaded: bool = False
    tokens_per_second: float | None = None
    first_token_seconds: float | None = None
    first_token_seconds_p95: float | None = None

    @classmethod
    def of(cls, status: ModelStatus) -> "ModelRow":
        """Return the row for what a router tells about a model."""
        return cls(**{name: getattr(status, name) for name in cls.__slots__})

    @property
    def running(self) -> int | None:
        """How many of its slots are busy."""
        if self.slots_free is None or self.slots_total is None:
            return None
        return max(0, self.slots_total - self.slots_free)

    @property
    def now(self) -> ModelNow:
        """What of it changes from moment to moment."""
        return ModelNow(self.tokens_per_second, self.running, self.queued)

    @property
    def description(self) -> str:
        """Size, quantization and context: 3.2B Q4_K_M · 8k context."""
        kind = " ".join(part for part in (self.parameter_size, self.quantization) if part)
        context = f"{words.context(self.context_length)} context" if self.context_length else None
        return words.joined(kind, context)

    @property
    def availability(self) -> str:
        """Nodes and free slots: 5 nodes, 7 slots free."""
        if self.nodes is None:
            return ""
        nodes = words.count(self.nodes, "node")
        if self.slots_free is None:
            return nodes
        if self.slots_free == 0:
            return f"{nodes}, all busy"
        return f"{nodes}, {words.count(self.slots_free, 'slot')} free"


@dataclass(frozen=True, slots=True)
class Picture:
    """The network at one moment; `nodes` is None where the router does not tell them.

    `suggested` is the model to take where the person chose none.
    """

    node_count: int
    models: tuple[ModelRow, ...]
    nodes: tuple[NodeStatus, ...] | None
    running: int
    suggested: str | None = None
    slots_total: int | None = None
    queued: int | None = None
    tokens_per_second: float | None = None
    uptime_seconds: int = 0
    version: str | None = None

    @property
    def missing(self) -> str | None:
        """What this router does not tell, as a sentence."""
        return MISSING if self.nodes is None else None

    def model(self, name: str | None) -> ModelRow | None:
        """Return the model of that name, if it is online."""
        return next((row for row in self.models if row.name == name), None)


def picture_of(sight: Network | tuple[Health, ModelList, Metrics]) -> Picture:
    """Return the picture that `/api/network` gives, or the original's three pages."""
    return picture_of_network(sight) if isinstance(sight, Network) else picture_of_basics(*sight)


def picture_of_network(network: Network) -> Picture:
    """Return the picture that `/api/network` gives."""
    totals = network.totals
    return Picture(
        node_count=totals.nodes,
        models=tuple(ModelRow.of(model) for model in network.models),
        nodes=network.nodes,
        running=totals.running,
        suggested=fastest_model(network),
        slots_total=totals.slots_total,
        queued=totals.queued,
        tokens_per_second=totals.tokens_per_second,
        uptime_seconds=network.uptime_seconds,
        version=network.version,
    )


def picture_of_basics(health: Health, models: ModelList, metrics: Metrics) -> Picture:
    """Return the picture that `/health`, `/api/models` and `/metrics` give."""
    counts = {entry.name: entry.node_count for entry in metrics.models_available}
    return Picture(
        node_count=health.node_count,
        models=tuple(
            ModelRow(name, counts.get(name), capabilities=_capabilities(models, name))
            for name in models.models
        ),
        nodes=None,
        running=metrics.requests_active,
        suggested=commonest_model(models, metrics),
        uptime_seconds=health.uptime_seconds,
    )


def _capabilities(models: ModelList, name: str) -> tuple[str, ...]:
    known = models.capabilities.get(name)
    if known is None:
        return ()
    return ("thinking",) * known.thinking + ("tools",) * known.tool_calls


class NetworkView:
    """The last picture, its age and what is wrong now. Times are of one monotonic clock.

    A `label` stands for the address of a router that only this person uses. `own_alias` is the name
    under which this machine's node is shown, while it is connected.
    """

    def __init__(self, server: str, label: str | None = None) -> None:
        self.server = label or urlsplit(server).netloc or server
        self.is_private = label is not None
        self.picture: Picture | None = None
        self.error: str | None = None
        self.own_alias: str | None = None
        self.history = NetworkHistory()
        self._seen_at = 0.0
        self._retry_at = 0.0

    @property
    def reachable(self) -> bool:
        """Whether the last look succeeded."""
        return self.picture is not None and self.error is None

    @property
    def models(self) -> tuple[ModelRow, ...]:
        """The models of the last picture."""
        return self.picture.models if self.picture else ()

    def saw(self, picture: Picture, now: float) -> None:
        """Take in a look that succeeded."""
        self.picture, self.error, self._seen_at = picture, None, now
        self.history.saw(
            now,
            TotalsNow(picture.tokens_per_second, picture.running, picture.queued),
            {row.name: row.now for row in picture.models},
            {node.alias: node for node in picture.nodes or ()},
        )

    def lost(self, error: str, now: float, retry_seconds: float, *, was_live: bool = False) -> None:
        """Take in a look that failed with the sentence `error` and will be repeated.

        Where a live stream broke off, the picture was right until now.
        """
        if was_live and self.error is None:
            self._seen_at = now
        self.error, self._retry_at = error, now + retry_seconds
        self.history.lost(now)

    def trouble(self, now: float) -> str | None:
        """Return what is wrong and when it is tried again."""
        if self.error is None:
            return None
        return f"{words.sentence(self.error)} {self._retry(now)}"

    def staleness(self, now: float) -> str | None:
        """Return how old the picture is, where the router is gone."""
        if self.error is None or self.picture is None:
            return None
        return f"as of {words.whole_seconds(now - self._seen_at)} ago"

    def headline(self, now: float, width: int) -> tuple[Toned, ...]:
        """Return the one fact that always matters, in at most `width` cells where possible."""
        forms = self._headlines(now)
        fitting = (form for form in forms if sum(len(part.text) for part in form) <= width)
        return next(fitting, forms[-1])

    def _headlines(self, now: float) -> list[tuple[Toned, ...]]:
        if self.error is not None:
            glyph = Toned(f"{words.FAILED} ", "bad")
            retry = self._retry(now).rstrip(".").lower()
            age = self.staleness(now)
            return [
                (glyph, Toned(words.joined(f"{self.server} unreachable", retry, age), "bad")),
                (glyph, Toned(words.joined("unreachable", retry), "bad")),
                (glyph, Toned("unreachable", "bad")),
                (glyph,),
            ]
        if self.picture is None:
            glyph = Toned(f"{words.WAITING} ", "warn")
            return [
                (glyph, Toned(f"connecting to {self.server}", "dim")),
                (glyph, Toned("connecting", "dim")),
                (glyph,),
            ]
        glyph = Toned(f"{words.ACTIVE} ", "good")
        nodes = words.count(self.picture.node_count, "node")
        models = words.count(len(self.picture.models), "model")
        return [
            (glyph, Toned(words.joined(self.server, nodes, models), "dim")),
            (glyph, Toned(words.joined(self.server, nodes), "dim")),
            (glyph, Toned(words.joined(nodes, models), "dim")),
            (glyph, Toned(nodes, "dim")),
            (glyph,),
        ]

    def _retry(self, now: float) -> str:
        return words.retrying(self._retry_at - now)
