"""What a node does, as lines: plain ones for people, JSON objects for programs."""

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui import standing_words
from idleclaw_tui.sharing import (
    DayChanged,
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
    StandingChanged,
)
from idleclaw_tui.sharing_policy import Standing

SHOWN_MODELS: Final = 5


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
        case StandingChanged(standing):
            return {"event": "standing", "time": now, **_standing(standing)}


def _standing(standing: Standing) -> dict[str, Any]:
    """Return the standing with nothing that JSON cannot say: never is null."""
    fields = asdict(standing)
    for guard in fields["guards"]:
        if guard["value"] == math.inf:
            guard["value"] = None
    return fields


def line(event: NodeEvent, server: str, now: float) -> str | None:
    """Return the event in words, None where people need not hear of it.

    Of a request only the end is told.
    """
    text = _words(event, server)
    return None if text is None else stamped(text, now)


def stamped(text: str, now: float) -> str:
    """Return a line that begins with the local time of day."""
    return f"{datetime.fromtimestamp(now):%H:%M:%S}  {text}"


def _words(event: NodeEvent, server: str) -> str | None:
    match event:
        case LinkChanged("connecting", _, _):
            return f"Connecting to {server}."
        case LinkChanged("connected", None, _):
            return f"Connected to {server}. Ctrl+C finishes what runs, then leaves."
        case LinkChanged("stopped", _, _):
            return None
        case LinkChanged(_, detail, retry) if detail is not None:
            return detail if retry is None else f"{detail} Retrying in {_seconds(retry)}."
        case ModelsChanged(models, version) if models:
            return f"Ollama {version} offers {_models(models)}."
        case RequestChanged() if event.ended:
            return _request(event)
        case StandingChanged(standing):
            return standing_words.pause_line(standing)
        case ShownAs(alias):
            return f"Others see this machine as {alias}."
        case _:
            return None


def _models(models: tuple[OfferedModel, ...]) -> str:
    names = [f"{model.name} ({model.size / 1e9:.1f} GB)" for model in models[:SHOWN_MODELS]]
    more = len(models) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _request(event: RequestChanged) -> str:
    parts = [f"Request {event.number}", event.model, event.state]
    if event.prompt_tokens is not None:
        parts.append(f"in {event.prompt_tokens:,}")
    if event.answer_tokens:
        parts.append(f"out {event.answer_tokens:,}")
    if event.tokens_per_second is not None:
        parts.append(f"{event.tokens_per_second:.0f} tok/s")
    parts.append(_seconds(event.seconds))
    text = " · ".join(parts)
    return text if event.error is None else f"{text}: {event.error}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
