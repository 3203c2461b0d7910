"""Whether and how fast a chat with a model would be served now, and why: in words."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from idleclaw_protocol.near_names import nearest_names
from idleclaw_tui import words
from idleclaw_tui.errors import NoNode
from idleclaw_tui.model_choice import is_chat_model
from idleclaw_tui.status_report import ReportedModel, StatusReport

PAGE_TOKENS: Final = 400
"""About a page of text."""

Verdict = Literal["now", "later", "unknown", "no"]


class Outlook(BaseModel):
    """What a chat with `model` can expect. Times in seconds; None is what nobody knows.

    `verdict`: served now; later, because it would wait; unknown, where the router does not tell
    its slots; or no. `why` says so in sentences, `nearest` names what is online instead.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    model: str
    verdict: Verdict
    why: tuple[str, ...]
    wait_seconds: float | None = None
    first_token_seconds: float | None = None
    first_token_seconds_p95: float | None = None
    tokens_per_second: float | None = None
    nearest: tuple[str, ...] = ()

    @property
    def served(self) -> bool:
        """Whether a chat would be answered, as far as anybody knows."""
        return self.verdict != "no"


def outlook(report: StatusReport, model: str) -> Outlook:
    """Return what a chat with the model can expect, as far as the router tells."""
    row = report.model(model)
    if row is None:
        names = tuple(known.name for known in report.models)
        nearest = nearest_names(model, names)
        said = str(NoNode(model, nearest=nearest, models=names))
        return Outlook(model=model, verdict="no", why=(said,), nearest=nearest)
    # The original router's capabilities leave out that a model can chat.
    if not is_chat_model(row.name, () if report.nodes is None else row.capabilities):
        return Outlook(model=model, verdict="no", why=(f"{model} cannot chat.",))
    verdict, start = _start(row)
    return Outlook(
        model=model,
        verdict=verdict,
        why=(start, *_speed(row), *_loading(row)),
        wait_seconds=row.wait_seconds,
        first_token_seconds=row.first_token_seconds,
        first_token_seconds_p95=row.first_token_seconds_p95,
        tokens_per_second=row.tokens_per_second,
    )


def _start(row: ReportedModel) -> tuple[Verdict, str]:
    nodes = words.count(row.nodes or 0, "node")
    if row.slots_free is None or row.slots_total is None:
        return "unknown", f"{nodes} {_have(row)} it; this router does not tell whether one is free."
    if row.slots_total == 0:
        return "no", f"{nodes} {_have(row)} it, but none takes requests at the moment."
    slots = words.count(row.slots_total, "slot")
    if row.slots_free > 0:
        are = "is" if row.slots_free == 1 else "are"
        free = f"{row.slots_free:,} of {slots} on {nodes} {are} free"
        return "now", f"A chat would start at once: {free}."
    before = f"{row.queued:,} waiting before it" if row.queued else "nobody waiting before it"
    wait = "nobody can tell yet for how long"
    if row.wait_seconds is not None:
        wait = f"about {words.duration(row.wait_seconds)}"
    return "later", f"A chat would wait, {wait}: {slots} on {nodes}, all busy, {before}."


def _have(row: ReportedModel) -> str:
    return "has" if row.nodes == 1 else "have"


def _speed(row: ReportedModel) -> list[str]:
    if row.slots_total is None:
        return []
    if row.first_token_seconds is None or not row.tokens_per_second:
        return ["How fast it answers is not known yet: too few have asked."]
    slow = row.first_token_seconds_p95
    tail = f"; 1 in 20 takes longer than {words.duration(slow)}" if slow is not None else ""
    rate, page = words.rate(row.tokens_per_second), PAGE_TOKENS / row.tokens_per_second
    return [
        f"The first token usually comes after {words.duration(row.first_token_seconds)}{tail}.",
        f"Then about {rate}: a page ({PAGE_TOKENS} tokens) in {words.duration(page)}.",
    ]


def _loading(row: ReportedModel) -> list[str]:
    if row.loaded is None:
        return []
    if row.loaded:
        return ["The model is in memory."]
    size = f" of {words.size(row.size)}" if row.size else ""
    return [f"No node has the model{size} in memory: it is loaded first, which takes its time."]
