"""How many connections may be open: of one address, and in all."""

from collections import Counter


class ConnectionGate:
    """Counts open connections by `Client.key`; a bound of 0 does not exist.

    Its table has an entry for each address that is connected, so `total` bounds it.
    """

    def __init__(self, per_address: int, total: int) -> None:
        self._per_address = per_address
        self._total = total
        self._open: Counter[str] = Counter()
        self._all = 0

    def __len__(self) -> int:
        return self._all

    def enter(self, key: str, *, counted: bool = True) -> bool:
        """Count a connection and return True, or return False where there is no room for it.

        One that is not `counted` belongs to a trusted proxy, behind which there are many people:
        only the total holds for it.
        """
        full = self._total and self._all >= self._total
        if full or (counted and self._per_address and self._open[key] >= self._per_address):
            return False
        self._all += 1
        self._open[key] += 1
        return True

    def leave(self, key: str) -> None:
        """Forget a connection that was let in."""
        self._all -= 1
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]
