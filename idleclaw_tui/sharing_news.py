"""What a node does, as the sentences its owner hears: numbers and reasons, never text."""

from typing import Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui import standing_words, words
from idleclaw_tui.node_events import (
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
    SpeedMeasured,
    StandingChanged,
)
from idleclaw_tui.sharing_policy import Standing

SHOWN_MODELS: Final = 5


class SharingNews:
    """Tells of each event what is new in it; `server` is the router's address."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._standing: Standing | None = None

    def of(self, event: NodeEvent) -> list[str]:
        """Return the sentences to tell, none where there is nothing new.

        The first standing also says when this machine is shared; a later one that only brings
        other figures says nothing.
        """
        if isinstance(event, StandingChanged):
            return self._standing_news(event.standing)
        said = sentence(event, self._server)
        return [] if said is None else [said]

    def is_new(self, standing: Standing) -> bool:
        """Whether a standing that was not told yet says more than other figures."""
        before = self._standing
        return before is None or before.mode != standing.mode or _moved(before, standing)

    def _standing_news(self, standing: Standing) -> list[str]:
        before, self._standing = self._standing, standing
        said: list[str] = []
        if before is None or before.mode != standing.mode:
            said.append(standing_words.mode_line(standing))
        if (not standing.serves) if before is None else _moved(before, standing):
            said.append(standing_words.pause_line(standing))
        return said


def _moved(before: Standing, now: Standing) -> bool:
    return (before.phase, before.reasons) != (now.phase, now.reasons)


def sentence(event: NodeEvent, server: str) -> str | None:
    """Return the event in words, None where people need not hear of it.

    Of a request only the end is told.
    """
    match event:
        case LinkChanged("connecting", _, _):
            return f"Connecting to {server}."
        case LinkChanged("connected", None, _):
            return f"Connected to {server}."
        case LinkChanged("stopped", None, _):
            return None
        case LinkChanged(_, detail, retry) if detail is not None:
            return detail if retry is None else f"{detail} Retrying in {words.duration(retry)}."
        case ModelsChanged(models, version) if models:
            return f"Ollama {version} offers {_models(models)}."
        case RequestChanged() if event.ended:
            return _request(event)
        case StandingChanged(standing):
            return standing_words.pause_line(standing)
        case ShownAs(alias):
            return f"Others see this machine as {alias}."
        case SpeedMeasured():
            return speed(event)
        case _:
            return None


def speed(measured: SpeedMeasured) -> str:
    """Return what came of measuring, as a sentence."""
    if measured.tokens_per_second is None:
        return f"The speed is not measured. {measured.why_not or ''}".strip()
    return f"{measured.model} makes {words.rate(measured.tokens_per_second)} on this machine."


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
        parts.append(words.rate(event.tokens_per_second))
    parts.append(words.duration(event.seconds))
    text = words.SEPARATOR.join(parts)
    return text if event.error is None else f"{text}: {event.error}"
