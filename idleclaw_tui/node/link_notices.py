"""What happened to the connection to the router, in words for its contributor.

The close codes and reasons are those of RFC 6455 section 7.4 and of the router's own list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from idleclaw_protocol.text_safety import clean_line

MAX_REASON_CHARS: Final = 80

_REFUSALS: Final[Mapping[str, str]] = {
    "too many nodes from this IP": (
        "The router takes no more nodes from your internet address. Stop one of the others."
    ),
    "too many models": "The router refused this node: it offers too many models.",
    "no models provided": "The router refused this node: it offers no models.",
    "invalid model name": "The router refused this node: it does not accept a model's name.",
    "registration timeout": "The router did not get this node's registration in time.",
}


@dataclass(frozen=True, slots=True)
class LinkNotice:
    """Why there is no connection.

    `refused` means that trying again soon would change nothing; `retry_after` is the router's own
    wish in seconds, where it has one.
    """

    state: Literal["waiting", "refused"]
    text: str
    retry_after: float | None = None


def closed(received: tuple[int, str] | None, sent_code: int | None) -> LinkNotice:
    """Return why a connection ended, from the router's close frame and the code of our own.

    Without a frame from the router the connection broke, or this side ended it.
    """
    if received is not None:
        return _closed_by_router(*received)
    match sent_code:
        case 1009:
            return LinkNotice("waiting", "The router sent more at once than is allowed.")
        case 1011:
            return LinkNotice("waiting", "The router stopped answering.")
        case _:
            return LinkNotice("waiting", "The connection to the router broke.")


def _closed_by_router(code: int, reason: str) -> LinkNotice:
    reason = clean_line(reason, MAX_REASON_CHARS)
    match code:
        case 1008:
            return LinkNotice("refused", _REFUSALS.get(reason) or _refused(reason))
        case 1000 if reason == "heartbeat timeout":
            return LinkNotice("waiting", "The router had not heard from this node for too long.")
        case 1000 if reason == "re-registered":
            return LinkNotice("waiting", "The router took another connection for this node's.")
        case 1001 | 1012:
            return LinkNotice("waiting", "The router is restarting.")
        case 1013:
            return LinkNotice("waiting", "The router has too much to do.")
        case _:
            return LinkNotice("waiting", "The router closed the connection.")


def _refused(reason: str) -> str:
    return f"The router refused this node: {reason}." if reason else "The router refused this node."
