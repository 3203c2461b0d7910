"""The signals of one moment, and the readers that fill them in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Signals:
    """What the machine tells; None is unknown. Units are those of `readings.Readings`."""

    on_battery: bool | None = None
    input_idle_seconds: float | None = None
    exclusive_app: str | None = None
    other_cpu_percent: float | None = None
    ollama_cpu_percent: float | None = None
    """Load of Ollama's processes in percent of one core."""
    gpu_percent: float | None = None
    other_gpu_percent: float | None = None
    gpu_celsius: float | None = None
    gpu_memory_free: int | None = None
    gpu_memory_total: int | None = None
    memory_available: int | None = None
    memory_total: int | None = None


NOTHING: Final = Signals()

Reader = Callable[[Signals], Signals]
"""Returns the signals with its own filled in; may take a second or two, and may raise."""
