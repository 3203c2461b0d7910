"""What the Contribute tab's table, its guards and its checklist say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from idleclaw_tui import words
from idleclaw_tui.sharing import RequestChanged, RequestState, SpeedMeasured
from idleclaw_tui.sharing_choices import Choosable
from idleclaw_tui.sharing_news import speed
from idleclaw_tui.sharing_policy import GuardState, Standing
from idleclaw_tui.standing_words import GUARD_GLYPHS, MODES, guard_words
from idleclaw_tui.words import UNKNOWN, Tone, Toned

_STATES: Final[dict[RequestState, tuple[str, Tone]]] = {
    "queued": (words.WAITING, "warn"),
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


def guard_pieces(standing: Standing, *, brief: bool) -> tuple[Toned, ...]:
    """Return every guard with its figure; in `brief`, those that are clear as a number alone."""
    pieces = [Toned(f"{MODES[standing.mode]}: ", "dim")]
    clear = sum(view.state == "clear" for view in standing.guards)
    for view in standing.guards:
        if brief and view.state == "clear":
            continue
        tone = _GUARD_TONES[view.state]
        pieces.append(Toned(f"{GUARD_GLYPHS[view.state]} ", tone))
        said = guard_words(view).replace(" ", "\u00a0")
        pieces.append(Toned(f"{said}   ", "dim" if view.state != "stop" else tone))
    if brief and clear:
        pieces += [Toned(f"{words.DONE} ", "good"), Toned(words.count(clear, "guard"), "dim")]
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that sharing needs: it is well, it is not (`mend` says what to do), or open."""

    state: Literal["good", "bad", "open"]
    said: str

    @property
    def line(self) -> tuple[Toned, ...]:
        """The check as a line."""
        glyph, tone = _CHECKS[self.state]
        return Toned(f"{glyph} ", tone), Toned(self.said, "bad" if self.state == "bad" else "dim")


def ollama_check(ollama_url: str, version: str | None, error: str | None, *, known: bool) -> Check:
    """Return whether the local Ollama answers; before the first look, nothing is `known`."""
    if error is not None:
        return Check("bad", error)
    if not known:
        return Check("open", f"asking Ollama at {ollama_url}")
    return Check("good", f"Ollama {version} at {ollama_url}" if version else f"Ollama {ollama_url}")


def models_check(rows: Sequence[Choosable]) -> Check:
    """Return whether there is a model to share."""
    installed = [row for row in rows if row.installed]
    ticked = sum(row.ticked for row in installed)
    if not installed:
        return Check("bad", "No model to share. `ollama pull llama3.2:3b` fetches one.")
    if not ticked:
        return Check("bad", "No model is ticked. Press m, then space on one.")
    found = words.count(len(installed), "model")
    if ticked == len(installed):
        return Check("good", f"{found} to share")
    return Check("good", f"{found} found, {ticked} to share")


def router_check(server: str, trouble: str | None, known: bool) -> Check:
    """Return whether the router can be reached."""
    if trouble is not None:
        return Check("bad", trouble)
    return Check("good", f"Router {server} answers") if known else Check("open", f"asking {server}")


def speed_check(measured: SpeedMeasured | None, *, running: bool) -> Check:
    """Return how fast this machine is, as far as that was measured."""
    if running:
        return Check("open", "measuring the speed: one short answer")
    if measured is None:
        return Check("open", "speed not measured yet: s measures, so does the start")
    if measured.tokens_per_second is None:
        return Check("bad", f"{speed(measured)} s tries again.")
    return Check("good", speed(measured).rstrip("."))


_CHECKS: Final[Mapping[str, tuple[str, Tone]]] = {
    "good": (words.DONE, "good"),
    "bad": (words.FAILED, "bad"),
    "open": (words.WAITING, "warn"),
}
_GUARD_TONES: Final[Mapping[GuardState, Tone]] = {"clear": "good", "stop": "bad", "unknown": "warn"}
