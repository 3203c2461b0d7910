"""What a node does, as JSON objects for programs, and what frames the lines for people."""

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

from idleclaw_tui import words
from idleclaw_tui.node_events import (
    DayChanged,
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
    SpeedMeasured,
    StandingChanged,
)
from idleclaw_tui.sharing_policy import Standing


def record(event: NodeEvent, now: float) -> dict[str, Any]:
    """Return the event as a JSON object; `now` and `time` are seconds since the epoch."""
    match event:
        case LinkChanged():
            return {"event": "link", "time": now, **asdict(event)}
        case ModelsChanged(models, version):
            listed = [model.model_dump(exclude_none=True) for model in models]
            return {"event": "models", "time": now, "ollama_version": version, "models": listed}
        case RequestChanged():
            return {"event": "request", "time": now, **asdict(event)}
        case ShownAs(alias):
            return {"event": "alias", "time": now, "alias": alias}
        case DayChanged():
            return {"event": "today", "time": now, **asdict(event)}
        case SpeedMeasured():
            return {"event": "speed", "time": now, **asdict(event)}
        case StandingChanged(standing):
            return {"event": "standing", "time": now, **_standing(standing)}


def _standing(standing: Standing) -> dict[str, Any]:
    """Return the standing with nothing that JSON cannot say: never is null."""
    fields = asdict(standing)
    for guard in fields["guards"]:
        if guard["value"] == math.inf:
            guard["value"] = None
    return fields


def stamped(text: str, now: float) -> str:
    """Return a line that begins with the local time of day."""
    return f"{datetime.fromtimestamp(now):%H:%M:%S}  {text}"


def session(requests: int, tokens: int, now: float) -> dict[str, Any]:
    """Return the sum of a session as a JSON object."""
    return {"event": "session", "time": now, "requests": requests, "tokens": tokens}


def farewell(requests: int, tokens: int) -> str:
    """Return the sum of a session in words."""
    answered = words.count(requests, "request")
    return f"Stopped after {answered} answered with {words.count(tokens, 'token')}."
