"""What a node tells its owner: the link, the models, the relayed requests, the standing.

Metadata only: no part of this ever holds what people write or what a model answers.
"""

from dataclasses import dataclass
from typing import Literal

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.sharing_policy import Standing

RequestState = Literal["queued", "loading", "streaming", "done", "cancelled", "declined", "failed"]
LinkState = Literal["stopped", "connecting", "connected", "waiting", "draining", "refused"]


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The connection to the router changed.

    `detail` is a plain sentence for people (why it is waiting, why it was refused);
    `retry_seconds` is how long until the next try, where there is one.
    """

    state: LinkState
    detail: str | None = None
    retry_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ModelsChanged:
    """The node offers these models now, largest first."""

    models: tuple[OfferedModel, ...]
    ollama_version: str | None


@dataclass(frozen=True, slots=True)
class RequestChanged:
    """A relayed request began, moved on or ended.

    `started_at` is wall-clock time in seconds since the epoch, `seconds` its age or, once ended,
    its duration. `answer_tokens` counts chunks until Ollama reports its own count.
    """

    number: int
    model: str
    state: RequestState
    started_at: float
    seconds: float
    prompt_tokens: int | None = None
    answer_tokens: int = 0
    tokens_per_second: float | None = None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come for this request."""
        return self.state in ("done", "cancelled", "declined", "failed")


@dataclass(frozen=True, slots=True)
class StandingChanged:
    """The owner's machine lets the node serve, or does not; or a figure behind that changed."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class DayChanged:
    """What was given away today: tokens of answers and finished requests, of all sessions."""

    tokens: int
    requests: int


@dataclass(frozen=True, slots=True)
class ShownAs:
    """The router shows this node to others under `alias`, for as long as it is connected."""

    alias: str


@dataclass(frozen=True, slots=True)
class SpeedMeasured:
    """How fast `model` answered a short question asked by this machine itself.

    `tokens_per_second` is None where it could not be measured, and then `why_not` says why as a
    sentence. `model` is None where it did not come to that.
    """

    model: str | None
    tokens_per_second: float | None = None
    why_not: str | None = None


NodeEvent = (
    LinkChanged
    | ModelsChanged
    | RequestChanged
    | StandingChanged
    | DayChanged
    | ShownAs
    | SpeedMeasured
)
