"""How the interface says numbers and states: units always, durations as people say them."""

from typing import Final, Literal, NamedTuple

Tone = Literal["plain", "strong", "dim", "accent", "second", "good", "warn", "bad"]
"""What a piece of text means; the screen gives each tone its colour."""


class Toned(NamedTuple):
    """A piece of text, not yet cleaned for a terminal, and its tone."""

    text: str
    tone: Tone = "plain"


UNKNOWN: Final = "—"
"""Stands in a column where nobody knows the value."""

SEPARATOR: Final = " · "

WAITING: Final = "◌"
LOADING: Final = "◐"
ACTIVE: Final = "●"
IDLE: Final = "○"
PAUSED: Final = "‖"
FAILED: Final = "✕"
DONE: Final = "✓"


def duration(seconds: float) -> str:
    """Return `seconds` as people say it: 0.6 s, 24 s, 3 min, 3 h 12 m, 4 d 6 h."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} m"
    return f"{hours // 24} d {hours % 24} h"


def age(seconds: float) -> str:
    """Return how long something lasts already, where only that is known: new, 10 min+, 3 h+."""
    if seconds < 600:
        return "new"
    if seconds < 3_600:
        return f"{int(seconds) // 600 * 10} min+"
    if seconds < 86_400:
        return f"{int(seconds) // 3_600} h+"
    return f"{int(seconds) // 86_400} d+"


def whole_seconds(seconds: float) -> str:
    """Return a running time that must not flicker: without tenths below ten seconds."""
    return f"{int(max(0.0, seconds))} s" if seconds < 10 else duration(seconds)


def retrying(seconds: float) -> str:
    """Return when something is tried again, as a sentence."""
    return f"Retrying in {whole_seconds(seconds)}." if seconds >= 1 else "Retrying now."


def count(number: int, noun: str) -> str:
    """Return the number with its noun: 1 node, 18,420 tokens."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ordinal(number: int) -> str:
    """Return a place in a line: 1st, 2nd, 3rd, 11th."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def rate(tokens_per_second: float) -> str:
    """Return a speed: 6.2 tok/s, 38 tok/s, 1,240 tok/s."""
    return f"{rate_number(tokens_per_second)} tok/s"


def rate_number(tokens_per_second: float | None) -> str:
    """Return a speed for a column whose head names the unit."""
    if tokens_per_second is None:
        return UNKNOWN
    if 0 < tokens_per_second < 9.95:
        return f"{tokens_per_second:.1f}"
    return f"{tokens_per_second:,.0f}"


def context(tokens: int) -> str:
    """Return a context length: 8k, 128k, 512."""
    return f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)


def size(number_of_bytes: int) -> str:
    """Return a size on disk in decimal units, as Ollama prints it: 2.0 GB, 93 MB."""
    if number_of_bytes >= 999_500_000:
        return f"{number_of_bytes / 1e9:.1f} GB"
    return f"{number_of_bytes / 1e6:.0f} MB"


def joined(*parts: str | None) -> str:
    """Return the parts that say something, with a dot between."""
    return SEPARATOR.join(part for part in parts if part)


def sentence(text: str) -> str:
    """Return `text` ending in a full stop, question or exclamation mark."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
