"""What a consumer learns while an answer comes in, whichever router sends it."""

from dataclasses import dataclass
from typing import Literal

from idleclaw_protocol.chat import FinishReason, Timings, Usage


@dataclass(frozen=True, slots=True)
class Waiting:
    """No token yet, and why; `position` 1 is next in line, None where nobody knows."""

    state: Literal["queued", "loading", "waiting"]
    position: int | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Clean new text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPiece:
    """Clean new text of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """A tool that the router runs for the model has started or ended; `name` is clean."""

    name: str
    status: Literal["executing", "done"]


@dataclass(frozen=True, slots=True)
class Finished:
    """The last update of every answer.

    `reason` is None where a router of the original kind ended without saying why. `error` is a
    clean sentence and set exactly where `reason` is "error".
    """

    reason: FinishReason | None
    usage: Usage | None = None
    timings: Timings | None = None
    error: str | None = None


ChatUpdate = Waiting | TextPiece | ThinkingPiece | ToolProgress | Finished
