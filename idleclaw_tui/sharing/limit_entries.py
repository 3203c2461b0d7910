"""A field of a form over the owner's settings, and what all of them share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from idleclaw_tui.owner.settings import SharingSettings

Values = dict[str, Any]


class BadEntry(ValueError):
    """What was typed cannot be used; the text says what can."""


@dataclass(frozen=True, slots=True)
class LimitField:
    """One field: `show` is what it holds at first, `read` what becomes of what was typed.

    `read` returns values for the settings, in `guards` for those of the guards, and raises
    `BadEntry`. `empty` is what typing nothing means. Where there are `options`, one of them (value,
    words) is chosen instead of typed.
    """

    key: str
    label: str
    hint: str
    show: Callable[[SharingSettings], str]
    read: Callable[[SharingSettings, str], Values]
    options: tuple[tuple[str, str], ...] = ()
    guards: bool = False
    empty: str = ""


def whole_number(least: int, most: int, *, empty: str | None = None) -> Callable[[str], int | None]:
    """Return a reader of whole numbers; where nothing may be typed, `empty` is what that means."""
    or_empty = f", or nothing for {empty}" if empty else ""
    said = f"A whole number from {least:,} to {most:,}{or_empty}."

    def read(text: str) -> int | None:
        if not text and empty:
            return None
        digits = text.replace(",", "").replace("_", "").replace(" ", "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
            raise BadEntry(said)
        if not least <= int(digits) <= most:
            raise BadEntry(said)
        return int(digits)

    return read
