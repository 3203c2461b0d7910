"""Noticing that the machine's owner uses Ollama, from what it lists as loaded (GET /api/ps).

Ollama sets a model's `expires_at` when the model falls idle, and says nothing of requests that
run. So a time that moved, a model that came, went or was loaded otherwise, without a request of
this node's own that explains it, was the owner's doing. Source: Ollama's server/sched.go and
`PsHandler` in server/routes.go.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idleclaw_tui.ollama.offered_models import LoadedModel

MOVED_SECONDS: Final = 1.0
"""A time that moved by less did not move."""
OWED_SECONDS: Final = 60.0
"""How long after an own request its model may move once more: a cancelled prompt is read on."""
BUSY_PERCENT: Final = 50.0
"""Load, in percent of one core, above which Ollama works."""
BUSY_SECONDS: Final = 5.0
QUIET_SECONDS: Final = 30.0
"""How long nothing of this node's own must have run before Ollama's load is the owner's."""

_FRACTION: Final = re.compile(r"\.(\d{6})\d+")


def expiry(text: str | None) -> float | None:
    """Return an `expires_at` as seconds since the epoch, None where it cannot be understood.

    Ollama writes up to nine digits of a second; `keep_alive: -1` gives a year near 2300.
    """
    if text is None or len(text) > 64:
        return None
    try:
        return datetime.fromisoformat(_FRACTION.sub(r".\1", text)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(slots=True)
class _Own:
    """This node's own use of one model."""

    running: int = 0
    owed_until: float = float("-inf")

    def explains(self, now: float) -> bool:
        return self.running > 0 or now < self.owed_until


class OwnerUse:
    """Compares what is loaded from look to look; `now` is monotonic time in seconds.

    It knows as many models as Ollama lists and the node was asked for.
    """

    def __init__(self) -> None:
        self._own: dict[str, _Own] = {}
        self._seen: dict[str, LoadedModel] | None = None
        self._used_at: float | None = None
        self._own_ended_at = float("-inf")
        self._busy_since: float | None = None

    def began(self, model: str) -> None:
        """Note that a request of this node's own begins."""
        self._own.setdefault(model, _Own()).running += 1

    def ended(self, model: str, now: float) -> None:
        """Note its end; one that never began changes nothing."""
        own = self._own.get(model)
        if own is None or not own.running:
            return
        own.running -= 1
        own.owed_until = now + OWED_SECONDS
        self._own_ended_at = now

    def look(self, loaded: Iterable[LoadedModel], now: float, wall: float) -> None:
        """Take in what is loaded now; the first look finds nothing. `wall` is epoch seconds."""
        models = {model.name: model for model in loaded}
        seen, self._seen = self._seen, models
        if seen is None:
            return
        moved = [name for name, model in models.items() if _changed(seen.get(name), model)]
        unexplained = [name for name in moved if not self._explained(name, now)]
        gone = any(name not in models and _left_early(model, wall) for name, model in seen.items())
        if unexplained or (gone and not self._any_explained(now)):
            self._used_at = now
        self._forget_paid(moved)

    def lost(self) -> None:
        """Note that Ollama does not answer: what it lists next is compared with nothing."""
        self._seen = None

    def load(self, percent: float | None, now: float) -> None:
        """Take in how much of one core Ollama's processes use, None where nobody can tell."""
        quiet = not any(own.running for own in self._own.values())
        quiet = quiet and now - self._own_ended_at >= QUIET_SECONDS
        if not quiet or percent is None or percent < BUSY_PERCENT:
            self._busy_since = None
            return
        if self._busy_since is None:
            self._busy_since = now
        if now - self._busy_since >= BUSY_SECONDS:
            self._used_at = now

    def idle_seconds(self, now: float) -> float | None:
        """Return how long ago the owner used Ollama, infinite for never, None for unknown."""
        if self._used_at is not None:
            return max(0.0, now - self._used_at)
        return None if self._seen is None else float("inf")

    def _explained(self, name: str, now: float) -> bool:
        own = self._own.get(name)
        return own is not None and own.explains(now)

    def _any_explained(self, now: float) -> bool:
        """Whether a request of our own may have made Ollama drop another model."""
        return any(own.explains(now) for own in self._own.values())

    def _forget_paid(self, moved: Iterable[str]) -> None:
        """One move is what an ended request owes; a second one is somebody else's."""
        for name in moved:
            if (own := self._own.get(name)) is not None and not own.running:
                del self._own[name]


def _changed(before: LoadedModel | None, now: LoadedModel) -> bool:
    if before is None or before.context_length != now.context_length:
        return True
    then, later = expiry(before.expires_at), expiry(now.expires_at)
    return then is not None and later is not None and later > then + MOVED_SECONDS


def _left_early(model: LoadedModel, wall: float) -> bool:
    """Whether a model that is gone was to stay longer."""
    until = expiry(model.expires_at)
    return until is not None and wall < until - MOVED_SECONDS
