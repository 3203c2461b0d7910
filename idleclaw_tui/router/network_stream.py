"""What a router's stream of changes adds up to: pure, fed with server-sent events."""

import re
from typing import Final

from pydantic_core import from_json

from idleclaw_protocol.network_changes import CHANGES, SNAPSHOT, NetworkChanges, apply
from idleclaw_protocol.status import Network
from idleclaw_tui.router.answers import cleaned

_EVENT_ID: Final = re.compile(r"[!-~]{1,128}")


class NotUnderstood(Exception):
    """An event does not fit; what was known is forgotten and the stream must begin anew."""


class NetworkStream:
    """The network as the events so far tell it, over any number of connections.

    All text is cleaned and all numbers in range, as on the status pages.

    Attributes:
        network: the network, None before the first snapshot.
        last_event_id: what to name when the connection is made again; "" begins anew.
    """

    def __init__(self) -> None:
        self.network: Network | None = None
        self.last_event_id = ""

    def decode(self, kind: str, event_id: str, data: str) -> Network | None:
        """Return the network after an event, None for kinds of events that are not known.

        Raises:
            NotUnderstood: the data is not what its kind promises.
        """
        if kind not in (SNAPSHOT, CHANGES):
            return None
        try:
            self.network = self._after(kind, cleaned(from_json(data)))
        except ValueError as error:
            self.forget()
            raise NotUnderstood from error
        self.last_event_id = event_id if _EVENT_ID.fullmatch(event_id) else ""
        return self.network

    def forget(self) -> None:
        """Begin anew with the next event, which has to be a snapshot."""
        self.network = None
        self.last_event_id = ""

    def _after(self, kind: str, told: object) -> Network:
        if kind == SNAPSHOT:
            return Network.model_validate(told)
        if self.network is None:
            raise ValueError("changes of nothing")
        return apply(self.network, NetworkChanges.model_validate(told))
