"""What a node is told when it is made: what to offer, its limits, its clocks, its intervals."""

from dataclasses import dataclass, field
from typing import Final

from idleclaw_protocol.limits import HEARTBEAT_INTERVAL_SECONDS, REGISTER_TIMEOUT_SECONDS
from idleclaw_tui.clock import Clock
from idleclaw_tui.ollama.relay_guard import GuardLimits


@dataclass(frozen=True, slots=True)
class NodeTiming:
    """How often things are done and how long they may take, in seconds."""

    heartbeat: float = HEARTBEAT_INTERVAL_SECONDS
    look: float = 5.0
    """Between two looks at the clocks; a machine that slept is noticed within it."""
    discovery: float = 60.0
    """Between two looks at Ollama's models."""
    discovery_pause: float = 5.0
    """The least time between them, whatever asks for one."""
    ollama_retry: float = 5.0
    """Until the next try where Ollama does not answer or has no model to offer."""
    refused_retry: float = 60.0
    """Least time until the next try after a refusal; up to twice as long by chance."""
    open: float = 10.0
    register: float = REGISTER_TIMEOUT_SECONDS
    close: float = 2.0
    ping: float = 20.0
    """Between pings, and how long the router may take to answer one."""
    short: float = 8.0
    """The longest that running requests may go on once the owner needs the machine."""
    goodbye: float = 1.0
    """How long handing requests back may take when the owner leaves at once."""
    stall: float = 20.0
    """How long the socket may refuse to take a heartbeat before it counts as dead."""


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The owner's choices; `models` None offers every model that can chat."""

    models: frozenset[str] | None = None
    max_concurrent: int = 1
    limits: GuardLimits = field(default_factory=GuardLimits)
    timing: NodeTiming = field(default_factory=NodeTiming)
    clock: Clock = field(default_factory=Clock)


DEFAULT_OPTIONS: Final = NodeOptions()
