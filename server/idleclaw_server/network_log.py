"""The network's changes as events: made once, numbered, kept for those who come back."""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from idleclaw_protocol.network_changes import CHANGES, SNAPSHOT, EventKind, changes
from idleclaw_protocol.status import Network
from idleclaw_server.http_chunks import as_chunk

MAX_EVENTS: Final = 240
MAX_BYTES: Final = 1 << 20
"""Older events are forgotten; who missed one of them starts anew with a snapshot."""

_EVENT_ID: Final = re.compile(r"([0-9a-z]{1,32})-([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class NetworkEvent:
    """One server-sent event, and the same as a chunk of HTTP/1.1."""

    number: int
    data: bytes
    chunk: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chunk", as_chunk(self.data))


class NetworkLog:
    """What was published so far; `epoch` (letters and digits) tells this log's ids from others'.

    The last 240 changes are kept, at most 1 MiB of them.
    """

    def __init__(self, epoch: str, network: Network) -> None:
        self._epoch = epoch
        self._events: deque[NetworkEvent] = deque()
        self._bytes = 0
        self._snapshot: NetworkEvent | None = None
        self.network = network
        self.number = 0

    def publish(self, network: Network) -> NetworkEvent | None:
        """Take in the network as it is now; return the event, None where nothing changed."""
        changed = changes(self.network, network)
        if changed.empty:
            return None
        self.network = network
        self.number += 1
        self._snapshot = None
        data = changed.model_dump_json(exclude_defaults=True)
        event = self._event(CHANGES, data.encode())
        self._events.append(event)
        self._bytes += len(event.data)
        while len(self._events) > MAX_EVENTS or self._bytes > MAX_BYTES:
            self._bytes -= len(self._events.popleft().data)
        return event

    def snapshot(self) -> NetworkEvent:
        """Return the network as last published; encoded once, whoever asks."""
        if self._snapshot is None:
            self._snapshot = self._event(SNAPSHOT, self.network.model_dump_json().encode())
        return self._snapshot

    def after(self, number: int) -> list[NetworkEvent] | None:
        """Return the events after that one, None where some of them are forgotten."""
        missed = self.number - number
        if missed < 0 or missed > len(self._events):
            return None
        return [self._events[at] for at in range(len(self._events) - missed, len(self._events))]

    def seen(self, last_event_id: str) -> int | None:
        """Return the number of the event that a listener saw last, None where it is not ours."""
        match = _EVENT_ID.fullmatch(last_event_id)
        return int(match[2]) if match and match[1] == self._epoch else None

    def _event(self, kind: EventKind, data: bytes) -> NetworkEvent:
        head = f"id: {self._epoch}-{self.number}\nevent: {kind}\ndata: ".encode()
        return NetworkEvent(self.number, head + data + b"\n\n")
