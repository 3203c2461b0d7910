"""What is known of the machine at one moment, as far as it can be known."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Readings:
    """One look at everything that sharing depends on; a signal that nobody can tell is None.

    Percentages are of the whole machine or of the graphics card, 0 to 100; memory is in bytes.
    """

    local_time: datetime
    tokens_today: int = 0
    """Tokens of answers since midnight."""
    own_requests: int = 0
    """Relayed requests that run now: their load is nobody else's."""
    on_battery: bool | None = None
    input_idle_seconds: float | None = None
    """Since a key or the mouse was last touched."""
    owner_idle_seconds: float | None = None
    """Since the owner last used Ollama; infinite where that was never seen."""
    exclusive_app: str | None = None
    """The exclusive program that runs, "" where none does."""
    other_cpu_percent: float | None = None
    """Load by programs other than Ollama and this one."""
    gpu_percent: float | None = None
    """All load of the graphics card, Ollama's included."""
    other_gpu_percent: float | None = None
    """Load by other programs, from drivers that tell programs apart."""
    gpu_celsius: float | None = None
    gpu_memory_free: int | None = None
    gpu_memory_total: int | None = None
    gpu_memory_needed: int = 0
    """What the smallest shared model takes, 0 where one is loaded already."""
    memory_available: int | None = None
    memory_total: int | None = None
