"""What can be done about a question that no router took: wait, try again, or ask differently."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from idleclaw_tui.errors import (
    IdleClawError,
    NoNode,
    NotARouter,
    RateLimited,
    RouterBusy,
    RouterRefused,
    RouterUnreachable,
)

FailureKind = Literal["unreachable", "limited", "no_model", "refused"]

MAX_ATTEMPTS: Final = 10
"""A question is repeated by itself at most so often, which takes about four minutes."""

_FIRST_WAIT_SECONDS: Final = 2.0
_LONGEST_WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question was not taken. `retry_at` is the monotonic second of the next attempt, where
    the question is repeated by itself, else the first one at which asking again makes sense."""

    kind: FailureKind
    retry_at: float | None = None

    @property
    def repeats(self) -> bool:
        """Whether the question is going to be repeated by itself."""
        return self.kind == "unreachable" and self.retry_at is not None

    def given_up(self) -> "Failure":
        """Return the failure after the person decided against further attempts."""
        return replace(self, retry_at=None)


def failure_of(error: IdleClawError, now: float, attempt: int) -> Failure | None:
    """Return what can be done about `error`, which ended attempt number `attempt` (from 0)."""
    match error:
        case NotARouter():
            return Failure("refused")
        case RouterUnreachable():
            if attempt >= MAX_ATTEMPTS:
                return Failure("unreachable")
            wait = min(_FIRST_WAIT_SECONDS * 2.0**attempt, _LONGEST_WAIT_SECONDS)
            return Failure("unreachable", now + wait)
        case RateLimited() | RouterBusy():
            seconds = error.retry_after
            return Failure("limited", None if seconds is None else now + seconds)
        case NoNode():
            return Failure("no_model")
        case RouterRefused():
            seconds = error.retry_after
            return Failure("refused", None if seconds is None else now + seconds)
    return None


def reason_of(error: IdleClawError) -> str:
    """Return what to say of `error` beside a countdown: when to try again is left to that."""
    if isinstance(error, RouterRefused) and error.retry_after is not None:
        return error.reason
    return str(error)
