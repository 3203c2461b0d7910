"""What the Contribute tab's table, its guards and its checklist say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from idleclaw_tui import words
from idleclaw_tui.limit_words import rule
from idleclaw_tui.node_events import RequestChanged, RequestState, SpeedMeasured
from idleclaw_tui.sharing_choices import Choosable
from idleclaw_tui.sharing_news import speed
from idleclaw_tui.sharing_policy import GuardState, GuardView, Standing
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.standing_words import GUARD_GLYPHS, MODES, guard_words
from idleclaw_tui.words import UNKNOWN, Tone, Toned

Line = tuple[Toned, ...]

_STATES: Final[dict[RequestState, tuple[str, Tone]]] = {
    "queued": (words.WAITING, "warn"),
    "loading": (words.LOADING, "warn"),
    "streaming": (words.ACTIVE, "second"),
    "done": (words.DONE, "good"),
    "cancelled": (words.IDLE, "dim"),
    "declined": (words.IDLE, "dim"),
    "failed": (words.FAILED, "bad"),
}


NOT_CHOSEN_HERE: Final[Line] = (
    Toned("This machine alone: nothing to choose here, no guard holds.", "dim"),
)
"""What is said in place of checks and guards where the node runs elsewhere in this program."""


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


def guard_pieces(standing: Standing, *, brief: bool) -> list[Line]:
    """Return the mode and every guard with its figure; in `brief`, only those that are not clear.

    No piece is to be broken: see `packed`.
    """
    pieces: list[Line] = [(Toned(f"{MODES[standing.mode]}:", "dim"),)]
    clear = sum(view.state == "clear" for view in standing.guards)
    pieces += [_guard(view) for view in standing.guards if not brief or view.state != "clear"]
    if brief and clear:
        pieces.append((Toned(f"{words.DONE} ", "good"), Toned(words.count(clear, "guard"), "dim")))
    return pieces


def guard_lines(
    standing: Standing | None, settings: SharingSettings, *, brief: bool = False
) -> list[Line]:
    """Return a line a guard: what it says now and, unless in `brief`, its thresholds."""
    if standing is None:
        return [(Toned("The guards are read while you share.", "dim"),)]
    if brief:
        return [_guard(view) for view in standing.guards]
    width = max((len(guard_words(view)) for view in standing.guards), default=0)
    return [
        (
            *_guard(view),
            Toned(" " * (width - len(guard_words(view)) + 2)),
            Toned(rule(view.reason, settings), "dim"),
        )
        for view in standing.guards
    ]


def packed(pieces: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """Return the pieces on as few lines of `width` cells as they fit on, none of them broken."""
    lines: list[list[Toned]] = []
    left = 0
    for piece in pieces:
        needed = sum(len(part.text) for part in piece)
        if not lines or needed + gap > left:
            lines.append(list(piece))
            left = width - needed
        else:
            lines[-1] += [Toned(" " * gap), *piece]
            left -= needed + gap
    return [tuple(line) for line in lines]


def _guard(view: GuardView) -> Line:
    tone = _GUARD_TONES[view.state]
    said = guard_words(view)
    return Toned(f"{GUARD_GLYPHS[view.state]} ", tone), Toned(said, _SAID_TONES[view.state])


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
    place = ollama_url.removeprefix("http://")
    if not known:
        return Check("open", f"asking Ollama at {place}")
    return Check("good", f"Ollama {version} at {place}" if version else f"Ollama at {place}")


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
        return Check("open", "speed not measured: s measures it")
    if measured.tokens_per_second is None:
        return Check("bad", f"{speed(measured)} s tries again.")
    return Check("good", speed(measured).rstrip("."))


_CHECKS: Final[Mapping[str, tuple[str, Tone]]] = {
    "good": (words.DONE, "good"),
    "bad": (words.FAILED, "bad"),
    "open": (words.WAITING, "warn"),
}
_GUARD_TONES: Final[Mapping[GuardState, Tone]] = {"clear": "good", "stop": "bad", "unknown": "warn"}
_SAID_TONES: Final[Mapping[GuardState, Tone]] = {"clear": "dim", "stop": "bad", "unknown": "dim"}
