"""The way of a node's events to the screen, from whichever thread the node runs in."""

import threading
from collections import OrderedDict
from typing import Final

from idleclaw_tui.node_events import NodeEvent, RequestChanged

MAX_FEED: Final = 1_000


class NodeFeed:
    """A mailbox that holds the newest event of the link, of the models and of each request.

    Above `MAX_FEED` of them the one that waited longest is dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[object, NodeEvent] = OrderedDict()

    def publish(self, event: NodeEvent) -> None:
        """Leave an event for the screen; never blocks for long, callable from any thread."""
        key = event.number if isinstance(event, RequestChanged) else type(event)
        with self._lock:
            self._waiting.pop(key, None)
            self._waiting[key] = event
            if len(self._waiting) > MAX_FEED:
                self._waiting.popitem(last=False)

    def drain(self) -> list[NodeEvent]:
        """Take all waiting events, oldest first."""
        with self._lock:
            events = list(self._waiting.values())
            self._waiting.clear()
        return events
