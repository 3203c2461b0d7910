"""What the Contribute tab's tables and its checklist say."""

from typing import Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui import words
from idleclaw_tui.sharing import RequestChanged, RequestState
from idleclaw_tui.words import UNKNOWN, Tone, Toned

_STATES: Final[dict[RequestState, tuple[str, Tone]]] = {
    "loading": (words.LOADING, "warn"),
    "streaming": (words.ACTIVE, "second"),
    "done": (words.DONE, "good"),
    "cancelled": (words.IDLE, "dim"),
    "declined": (words.IDLE, "dim"),
    "failed": (words.FAILED, "bad"),
}


def request_cells(request: RequestChanged, clock_time: str) -> dict[str, Toned]:
    """Return the cells of a relayed request's row, by column; `clock_time` is when it began."""
    glyph, tone = _STATES[request.state]
    prompt = UNKNOWN if request.prompt_tokens is None else f"{request.prompt_tokens:,}"
    seconds = words.duration if request.ended else words.whole_seconds
    return {
        "when": Toned(clock_time, "dim"),
        "model": Toned(request.model),
        "state": Toned(f"{glyph} {request.state}", tone),
        "in": Toned(prompt, "dim"),
        "out": Toned(f"{request.answer_tokens:,}"),
        "speed": Toned(words.rate_number(request.tokens_per_second)),
        "time": Toned(seconds(request.seconds), "dim"),
        "note": Toned(request.error or "", "bad"),
    }


def model_line(model: OfferedModel) -> tuple[Toned, ...]:
    """Return one offered model: name, kind, size on disk, context."""
    kind = " ".join(part for part in (model.parameter_size, model.quantization) if part)
    context = f"{words.context(model.context_length)} context" if model.context_length else None
    size = words.size(model.size) if model.size else None
    return (
        Toned(f"{words.ACTIVE} ", "second"),
        Toned(model.name),
        Toned(f"  {words.joined(kind, size, context)}", "dim"),
    )


def ollama_check(
    ollama_url: str, version: str | None, models: int | None, error: str | None
) -> tuple[Toned, ...]:
    """Return whether the local Ollama can be shared; `models` is None while nobody knows."""
    if error is not None:
        return Toned(f"{words.FAILED} ", "bad"), Toned(error, "bad")
    if models is None:
        return Toned(f"{words.WAITING} ", "warn"), Toned(f"asking Ollama at {ollama_url}", "dim")
    name = f"Ollama {version}" if version else "Ollama"
    if models == 0:
        said = f"{name} has no model to share. `ollama pull llama3.2:3b` fetches one."
        return Toned(f"{words.FAILED} ", "bad"), Toned(said, "bad")
    said = words.joined(f"{name} at {ollama_url}", f"{words.count(models, 'model')} to share")
    return Toned(f"{words.DONE} ", "good"), Toned(said)


def router_check(server: str, trouble: str | None, known: bool) -> tuple[Toned, ...]:
    """Return whether the router can be reached."""
    if trouble is not None:
        return Toned(f"{words.FAILED} ", "bad"), Toned(trouble, "bad")
    if not known:
        return Toned(f"{words.WAITING} ", "warn"), Toned(f"asking the router {server}", "dim")
    return Toned(f"{words.DONE} ", "good"), Toned(f"Router {server} answers")
