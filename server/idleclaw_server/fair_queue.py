"""The waiting line of one model: clients take turns, each client's own requests in order."""

from collections import deque
from collections.abc import Callable, Iterator

from idleclaw_server.relay import Relay


class FairQueue:
    """Round robin over clients, first in first out inside one.

    A request whose node failed comes back to the very front: it has had its turn. The bound is
    kept by whoever adds (see `Policy.max_waiting_per_model`); those that come back are at most as
    many as the slots there were.
    """

    __slots__ = ("_clients", "_returned")

    def __init__(self) -> None:
        self._clients: dict[str, deque[Relay]] = {}
        self._returned: list[Relay] = []

    def add(self, relay: Relay) -> None:
        """Put a request behind the others of its client."""
        self._clients.setdefault(relay.request.client, deque()).append(relay)

    def add_returned(self, relay: Relay) -> None:
        """Put back a request that had its turn on a node that failed."""
        self._returned.append(relay)

    def remove(self, relay: Relay) -> bool:
        """Take a request out wherever it stands; tell whether it was in."""
        if relay in self._returned:
            self._returned.remove(relay)
            return True
        line = self._clients.get(relay.request.client)
        if line is None or relay not in line:
            return False
        line.remove(relay)
        if not line:
            del self._clients[relay.request.client]
        return True

    def next(self, suits: Callable[[Relay], bool]) -> Relay | None:
        """Return, without removing it, whose turn it is among the requests that suit."""
        return next(filter(suits, self), None)

    def take(self, relay: Relay) -> None:
        """Remove a request whose turn it is; its client goes behind the others."""
        if relay in self._returned:
            self._returned.remove(relay)
            return
        self.remove(relay)
        line = self._clients.pop(relay.request.client, None)
        if line is not None:
            self._clients[relay.request.client] = line

    def __iter__(self) -> Iterator[Relay]:
        """Yield the waiting requests in the order of their turns; copy before changing them."""
        yield from self._returned
        lines = [iter(line) for line in self._clients.values()]
        while lines:
            still: list[Iterator[Relay]] = []
            for line in lines:
                relay = next(line, None)
                if relay is not None:
                    yield relay
                    still.append(line)
            lines = still

    def __len__(self) -> int:
        return len(self._returned) + sum(map(len, self._clients.values()))
