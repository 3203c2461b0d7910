"""What a router tells about itself: `/health`, `/api/models`, `/metrics` and `/api/network`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

NodeState = Literal["serving", "idle", "paused", "draining"]


class _Status(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Health(_Status):
    """`GET /health`: the router is alive."""

    status: str
    uptime_seconds: int
    node_count: int


class Readiness(_Status):
    """`GET /health/ready`: 200 where "ready", else 503; the nodes that take requests."""

    status: Literal["ready", "no nodes", "draining"]
    node_count: int


class Capabilities(_Status):
    """What the original tells of a model."""

    thinking: bool = False
    tool_calls: bool = False


class ModelList(_Status):
    """`GET /api/models`: distinct names, largest model first."""

    models: tuple[str, ...]
    capabilities: dict[str, Capabilities] = {}


class ModelNodes(_Status):
    """How many nodes have a model."""

    name: str
    node_count: int


class Metrics(_Status):
    """`GET /metrics`: the counters of the original."""

    nodes_connected: int
    nodes_registered_total: int
    requests_total: int
    requests_active: int
    requests_errors_total: int
    models_available: tuple[ModelNodes, ...] = ()
    uptime_seconds: int


class ModelStatus(_Status):
    """One model over all nodes that have it. Sizes in bytes, times in seconds.

    Details come from the first node that reported them. Speeds are medians over what the router
    observed last, beside the value that 95 of 100 answers stay below; they are None while there
    are too few samples. `wait_seconds` is how long a request that came now would wait for a slot:
    0 where one is free, None where nobody can tell.
    """

    name: str
    nodes: int
    slots_free: int
    slots_total: int
    queued: int = 0
    size: int | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    capabilities: tuple[str, ...] = ()
    loaded: bool = False
    tokens_per_second: float | None = None
    tokens_per_second_p95: float | None = None
    first_token_seconds: float | None = None
    first_token_seconds_p95: float | None = None
    wait_seconds: float | None = None


class NodeStatus(_Status):
    """One node under a public alias that leads back to neither its id nor its address.

    What would tell one contributor from another is coarse (see `idleclaw_server.node_status`):
    `uptime_seconds` is at least that, `tokens_per_second` a preferred number, `ollama_version`
    without its patch level, `reason` one of a few.
    """

    alias: str
    state: NodeState
    reason: str | None = None
    models: tuple[str, ...]
    slots_busy: int
    slots_total: int
    uptime_seconds: int
    ollama_version: str | None = None
    tokens_per_second: float | None = None


class Totals(_Status):
    """The whole network in a few numbers."""

    nodes: int
    models: int
    slots_total: int
    running: int
    queued: int
    tokens_per_second: float


class Network(_Status):
    """`GET /api/network`: what the network can do right now.

    Names of models and aliases of nodes occur once. The router lists models largest first and
    nodes by alias, so that the order tells nothing more.
    """

    version: str
    uptime_seconds: int
    totals: Totals
    models: tuple[ModelStatus, ...]
    nodes: tuple[NodeStatus, ...]
