"""A connected node as the router sees it: what it offers and what it is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE, Heartbeat, OfferedModel, Register
from idleclaw_protocol.model_size import parameters
from idleclaw_server.capabilities import guessed_capabilities
from idleclaw_server.client_address import UNKNOWN_CLIENT, Client
from idleclaw_server.speeds import ModelSpeed, MovingAverage
from idleclaw_server.standing import Standing, identity_of

if TYPE_CHECKING:
    from idleclaw_server.inference import NodeLink
    from idleclaw_server.relay import Relay
    from idleclaw_server.tool_specs import ToolMode, ToolSet

_REMEMBERED_REQUESTS: Final = 64
_FOREIGN_WEIGHT: Final = 50


class Node:
    """One registered connection. Identity is the object: a second one may bear the same node_id.

    Slots are counted from the tables here and nowhere else: requests that run (`in_flight`),
    cancelled ones whose end the node has yet to confirm (`cancelling`, id to deadline), and those
    the node says it has beside ours. Models that cannot chat (embedding ones) are left out.
    `standing` is that of its identity; `probe` the running request that gives way to any other.
    """

    __slots__ = (
        "_foreign_requests",
        "_loaded",
        "_recent",
        "alias",
        "available",
        "cancelling",
        "client",
        "confirms_cancel",
        "connected_at",
        "declines",
        "identity",
        "in_flight",
        "last_heartbeat",
        "link",
        "models",
        "node_id",
        "ollama_version",
        "pause_reason",
        "probe",
        "registered_slots",
        "secret",
        "slots",
        "speeds",
        "standing",
        "stray_weight",
        "tokens_per_second",
    )

    def __init__(
        self,
        register: Register,
        link: NodeLink,
        alias: str,
        now: float,
        client: Client = UNKNOWN_CLIENT,
        standing: Standing | None = None,
    ) -> None:
        self.node_id: Final = register.node_id
        self.secret: Final = register.secret
        self.identity: Final = identity_of(register)
        self.client: Final = client
        self.standing: Final = standing or Standing()
        self.models: Final[dict[str, OfferedModel]] = {
            model.name: model for model in register.models if "completion" in _capabilities(model)
        }
        self.registered_slots: Final = register.max_concurrent
        self.ollama_version: Final = register.ollama_version
        self.declines: Final = DECLINE in register.features
        self.confirms_cancel: Final = CANCEL_ACK in register.features
        self.link: Final = link
        self.alias: Final = alias
        self.connected_at: Final = now
        self.last_heartbeat = now
        self.slots = register.max_concurrent
        self.available = True
        self.pause_reason: str | None = None
        self.in_flight: dict[str, Relay] = {}
        self.cancelling: dict[str, float] = {}
        self.probe: Relay | None = None
        self.speeds: dict[str, ModelSpeed] = {}
        self.tokens_per_second = MovingAverage()
        self.stray_weight = 0
        self._recent: dict[str, float] = {}
        self._loaded: frozenset[str] | None = None
        self._foreign_requests = 0

    @property
    def busy_slots(self) -> int:
        """Slots in use, the node's own work included."""
        return len(self.in_flight) + len(self.cancelling) + self._foreign_requests

    @property
    def has_free_slot(self) -> bool:
        """Whether the node may get a request now."""
        return self.may_take and self.busy_slots < self.slots

    @property
    def may_take(self) -> bool:
        """Whether it could, once a probe has given way."""
        return self.available and not self.standing.is_out and self.load < self.slots

    @property
    def is_idle(self) -> bool:
        """Whether the node does nothing for the router and could; it may be out."""
        nothing = not self.in_flight and not self.cancelling
        return nothing and self.available and self.busy_slots < self.slots

    @property
    def load(self) -> int:
        """Requests with which another one would share the machine: a probe would not stay."""
        return self.busy_slots - (self.probe is not None)

    def has_loaded(self, model: str) -> bool:
        """Whether the model is in memory, as far as the node tells; old nodes keep all loaded."""
        return self._loaded is None or model in self._loaded

    def thinks(self, model: str) -> bool:
        """Whether the model can be asked to think."""
        return "thinking" in self.capabilities(model)

    def capabilities(self, model: str) -> tuple[str, ...]:
        """Return what Ollama said the model can do, or a guess from its name for old nodes."""
        return _capabilities(self.models[model])

    def tool_mode(self, model: str, tools: ToolSet) -> ToolMode | None:
        """Return how `tools` are offered to the model, None if they are not.

        A model that knows no tools reads about them in its prompt, if the operator has chosen
        some. One that is told to have less than a billion parameters does not: it would call
        them, or write about them, whatever it was asked.
        """
        if not tools:
            return None
        if "tools" in self.capabilities(model):
            return "native"
        size = parameters(self.models[model].parameter_size)
        return "tags" if tools.described and (size is None or size >= 1e9) else None

    def speed(self, model: str) -> ModelSpeed:
        """Return the record of this node's work with one of its models."""
        return self.speeds.setdefault(model, ModelSpeed())

    def heartbeat(self, beat: Heartbeat, now: float) -> None:
        """Take in what the node says of itself; it can lower its capacity, never raise it."""
        self.last_heartbeat = now
        self.available = beat.available
        self.pause_reason = None if beat.available else beat.reason
        self.slots = min(self.registered_slots, beat.max_concurrent or self.registered_slots)
        known = len(self.in_flight) + len(self.cancelling)
        self._foreign_requests = max(0, min(beat.active_requests, self.slots) - known)
        if beat.loaded is not None:
            self._loaded = frozenset(beat.loaded).intersection(self.models)

    def mark_loaded(self, model: str) -> None:
        """Remember that the model just answered."""
        if self._loaded is not None and model not in self._loaded:
            self._loaded |= {model}

    def remember(self, request_id: str, free_until: float) -> None:
        """Keep the id of an ended request, so that its late frames count little, or nothing.

        Until `free_until` they are on their way rightly: the node may not know yet. The 64 newest
        are kept.
        """
        self._recent[request_id] = free_until
        if len(self._recent) > _REMEMBERED_REQUESTS:
            del self._recent[next(iter(self._recent))]

    def count_stray(self, request_id: str, now: float) -> int:
        """Count a frame for a request that does not run here; return the weight so far.

        Frames that crossed a cancel weigh nothing, others of a request that ended 1, others 50.
        """
        free_until = self._recent.get(request_id)
        if free_until is None:
            self.stray_weight += _FOREIGN_WEIGHT
        elif now > free_until:
            self.stray_weight += 1
        return self.stray_weight


def _capabilities(model: OfferedModel) -> tuple[str, ...]:
    if model.capabilities is None:
        return guessed_capabilities(model.name)
    return model.capabilities
