"""The owner's limits at a glance."""

from collections.abc import Iterator

from idleclaw_tui import words
from idleclaw_tui.sharing_settings import Mode, SharingSettings
from idleclaw_tui.standing_words import MODES
from idleclaw_tui.words import Toned

_LABEL = 10


def limit_lines(settings: SharingSettings, mode: Mode | None) -> list[tuple[Toned, ...]]:
    """Return a line a limit; `mode` is the one that holds, where that is known."""
    return [
        (Toned(label.ljust(_LABEL), "dim"), Toned(said)) for label, said in _limits(settings, mode)
    ]


def _limits(settings: SharingSettings, mode: Mode | None) -> Iterator[tuple[str, str]]:
    held = settings.mode or mode
    yield "share", MODES[held] if held else "as suits this machine"
    if settings.schedule:
        yield "hours", "; ".join(str(window) for window in settings.schedule)
    at_once = words.count(settings.max_concurrent, "request")
    context = settings.context_tokens
    yield "at once", at_once
    yield "context", "the model's own" if context is None else f"up to {context:,} tokens"
    yield "answer", f"up to {settings.answer_tokens:,} tokens"
    day = settings.tokens_a_day
    yield "a day", "any number of tokens" if day is None else f"{day:,} tokens"
    if settings.exclusive_apps:
        yield "not beside", ", ".join(settings.exclusive_apps)
