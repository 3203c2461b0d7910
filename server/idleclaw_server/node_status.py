"""What anybody may see of one contributor's node, and how coarsely.

The page is public and can be recorded by anyone, so nothing on it may help to recognise a
contributor elsewhere, to rank contributors, or to choose one to attack:

* The alias is keyed by a secret of this process (see `aliases`); no request can be aimed at it.
* How long a node is connected is told in steps, and nodes are not listed in the order they came:
  the exact moment could be matched with what else is known of somebody at that moment.
* Its speed is one of ten preferred numbers a decade, after five answers: enough to tell a
  graphics card from a processor, not one card from its neighbour, and no ranking.
* Ollama's version comes without its patch level, which would say who has yet to close a hole.
* Why a node pauses is one of a few sentences, not the node's own words, and none of them says
  whether somebody sits at the machine.
* Its models are sorted: the order would be that in which they were downloaded.
"""

import re
from bisect import bisect_right
from math import floor, log10
from typing import Final

from idleclaw_protocol.status import NodeState, NodeStatus
from idleclaw_server.node import Node

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
UPTIME_STEPS: Final = (
    0,
    *(minutes * _MINUTE for minutes in (10, 30)),
    *(hours * _HOUR for hours in (1, 2, 4, 8, 16)),
    *(days * _DAY for days in (1, 2, 4, 7, 14, 28)),
)
PREFERRED: Final = (1.0, 1.3, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0)
"""Renard's series R10, rounded to two digits (ISO 3)."""
ENOUGH_ANSWERS: Final = 5

BY_OWNER: Final = "by its owner"
_REASONS: Final = {
    "busy": "busy with something else",
    "ollama_unavailable": "its Ollama does not answer",
}
_VERSION: Final = re.compile(r"v?([0-9]{1,3}\.[0-9]{1,3})(?:\.[0-9]{1,4})?(?:[+-].*)?")


def node_status(node: Node, now: float) -> NodeStatus:
    """Return what is told of a node."""
    return NodeStatus(
        alias=node.alias,
        state=state(node),
        reason=reason(node),
        models=tuple(sorted(node.models)),
        slots_busy=min(node.slots, node.busy_slots),
        slots_total=node.slots,
        uptime_seconds=uptime_step(now - node.connected_at),
        ollama_version=release(node.ollama_version),
        tokens_per_second=speed(node),
    )


def state(node: Node) -> NodeState:
    """Return what a node does now."""
    if not node.available:
        return "paused"
    return "serving" if node.in_flight else "idle"


def reason(node: Node) -> str | None:
    """Return why a node takes no requests, in our words."""
    return None if node.available else _REASONS.get(node.pause_reason or "", BY_OWNER)


def uptime_step(seconds: float) -> int:
    """Return the largest step of `UPTIME_STEPS` that has passed."""
    return UPTIME_STEPS[bisect_right(UPTIME_STEPS, max(0.0, seconds)) - 1]


def speed(node: Node) -> float | None:
    """Return roughly how fast a node answers, in tokens a second."""
    known = node.tokens_per_second
    if known.value is None or known.count < ENOUGH_ANSWERS:
        return None
    return preferred(known.value)


def preferred(value: float) -> float:
    """Return the preferred number nearest to a value, 0 below 0.1."""
    if value < 0.1:
        return 0.0
    decade = 10.0 ** floor(log10(value))
    nearest = min(PREFERRED, key=lambda number: abs(number - value / decade))
    return round(nearest * decade, 2)


def release(version: str | None) -> str | None:
    """Return a version's first two numbers, None for what is no version."""
    match = _VERSION.fullmatch(version or "")
    return match[1] if match else None
