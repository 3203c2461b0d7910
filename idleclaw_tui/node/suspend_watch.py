"""Noticing that the machine slept: its wall clock went on while its monotonic clock stood still."""

from typing import Final

TOLERANCE_SECONDS: Final = 30.0


class SuspendWatch:
    """Compares two clocks from look to look; both are given in seconds.

    A wall clock that is set forward by more than 30 s looks the same, and costs one reconnection.
    On systems whose monotonic clock goes on during sleep nothing is noticed here; there the
    connection's own pings find out.
    """

    def __init__(self, monotonic: float, wall: float) -> None:
        self._ahead = wall - monotonic

    def slept(self, monotonic: float, wall: float) -> bool:
        """Whether the machine slept for more than 30 s since the last look."""
        ahead, self._ahead = self._ahead, wall - monotonic
        return self._ahead - ahead > TOLERANCE_SECONDS
