"""How long to wait before the next connection: a thousand nodes must not come back at once."""

from collections.abc import Callable
from typing import Final

MAX_DELAY_SECONDS: Final = 60.0
STABLE_SECONDS: Final = 60.0

Uniform = Callable[[float, float], float]
"""`random.Random.uniform`: a number between the two given ones."""


class Backoff:
    """Full jitter: uniform(0, min(60, 2^n)) seconds before try n, from n = 0.

    The count starts anew once a connection has lasted a minute; a shorter one counts as failed.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(self, uniform: Uniform) -> None:
        self._uniform = uniform
        self._failures = 0
        self._connected_at: float | None = None

    def connected(self, now: float) -> None:
        """Note that a connection stands since `now` (monotonic seconds)."""
        self._connected_at = now

    def next_delay(self, now: float) -> float:
        """Return the seconds to wait after a try that failed or a connection that ended `now`."""
        if self._connected_at is not None and now - self._connected_at >= STABLE_SECONDS:
            self._failures = 0
        self._connected_at = None
        ceiling = min(MAX_DELAY_SECONDS, 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._uniform(0.0, ceiling)
