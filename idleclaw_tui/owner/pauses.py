"""A pause as the node carries it out: what the router is told, what becomes of requests."""

from dataclasses import dataclass
from typing import Final, Literal

from idleclaw_protocol.frames import DeclineReason
from idleclaw_tui.owner.guards import HandOff, PauseReason
from idleclaw_tui.owner.policy import Standing

WireReason = PauseReason | Literal["warming_up"]
"""The word in a heartbeat that says why a node is not available."""

_BY_ARRANGEMENT: Final = frozenset({"paused_by_user", "quota_day", "schedule", "warming_up"})


@dataclass(frozen=True, slots=True)
class Pause:
    """Why no requests are taken for now, and what becomes of those that run."""

    reason: WireReason
    hand_off: HandOff = "finish"

    @property
    def decline(self) -> DeclineReason:
        """The word for a request that is declined or handed back meanwhile."""
        return "paused" if self.reason in _BY_ARRANGEMENT else "owner_needs_machine"


def pause_of(standing: Standing, before: Pause | None) -> Pause | None:
    """Return the pause that a standing asks for, None where it asks for none.

    A pause that has no reason left, but still has to last, keeps the one it had.
    """
    if standing.serves:
        return None
    if standing.phase == "warming":
        return Pause("warming_up")
    if standing.reasons:
        return Pause(standing.reasons[0], standing.hand_off)
    return before or Pause("paused_by_user")
