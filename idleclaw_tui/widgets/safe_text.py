"""The only ways for text to reach the screen: never as markup, never as terminal controls.

Textual passes escape sequences through and reads strings as markup in most widgets, so strings
from the network become `Content` or rich `Text` here. `TerminalGuard` filters all output besides.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.content import Content
from textual.filter import LineFilter
from textual.widget import Widget
from textual.widgets import Static

from idleclaw_protocol.text_safety import clean, clean_line
from idleclaw_tui.words import Tone, Toned

MAX_LINE: Final = 300

_STYLES: Final[dict[Tone, str]] = {
    "plain": "",
    "strong": "bold",
    "dim": "$text-muted",
    "accent": "$accent",
    "second": "$secondary",
    "good": "$success",
    "warn": "$warning",
    "bad": "$error",
}
_VARIABLES: Final[dict[Tone, str]] = {
    "accent": "accent",
    "second": "secondary",
    "good": "success",
    "warn": "warning",
    "bad": "error",
}


def text(string: str, tone: Tone = "plain") -> Content:
    """Return `string` for the screen, literally and cleaned."""
    return Content.styled(clean(string), _STYLES[tone])


def toned(parts: Iterable[Toned]) -> Content:
    """Return the parts as one line, each in the colour of its tone."""
    pieces = (
        (clean_line_keeping_blanks(part.text), _STYLES[part.tone]) for part in parts if part.text
    )
    return Content.assemble(*pieces)


def toned_lines(lines: Iterable[Iterable[Toned]]) -> Content:
    """Return the lines, one below the other."""
    return Content("\n").join([toned(line) for line in lines])


def update_if_new(widget: Static, content: Content) -> None:
    """Show `content`, which costs nothing where it is shown already."""
    if widget.content != content:
        widget.update(content)


def clean_line_keeping_blanks(string: str) -> str:
    """Return `string` cleaned and on one line of at most `MAX_LINE` characters."""
    line = clean(string[: MAX_LINE * 8]).replace("\n", " ").replace("\t", " ")
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…"


def tone_style(tone: Tone, variables: Mapping[str, str]) -> Style:
    """Return the style of a tone in the colours of the theme whose CSS `variables` are given."""
    if tone == "strong":
        return Style(bold=True)
    try:
        if tone == "dim":
            foreground = Color.parse(variables["foreground"])
            mixed = foreground.blend(Color.parse(variables["background"]), 0.45)
            return Style(color=mixed.rich_color)
        if tone in _VARIABLES:
            return Style(color=Color.parse(variables[_VARIABLES[tone]]).rich_color)
    except ColorParseError:
        return Style()
    return Style()


def toast(widget: Widget, message: str, *, warn: bool = False) -> None:
    """Show a passing remark, literally; what must not be missed belongs elsewhere."""
    widget.notify(
        clean_line(message, MAX_LINE),
        severity="warning" if warn else "information",
        markup=False,
        timeout=4,
    )


_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_ASCII_FORMS: Final = str.maketrans(
    {
        glyph: ascii_form
        for glyphs, ascii_form in (
            ("●", "*"),
            ("◐◌○•", "o"),
            ("‖", "="),
            ("✕", "x"),
            ("✓", "v"),
            ("·…", "."),
            ("—─━▁▂▃", "-"),
            ("│┃▌▎▏", "|"),
            ("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
            ("▄▅▆▇█", "#"),
            ("░", "."),
            ("▸", ">"),
            ("↑", "^"),
            ("↓", "v"),
        )
        for glyph in glyphs
    }
)


class TerminalGuard(LineFilter):
    """Drops from all output whatever would steer a terminal, whichever widget let it through.

    They count as no cells wide, so the width of the line stays. Half a character, which no
    terminal can be sent, becomes U+FFFD. `ascii_only` also replaces the glyphs that a terminal
    without Unicode cannot show.
    """

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._ascii_only = ascii_only

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the line with harmless text only."""
        return [
            segment
            if segment.text.isascii() and segment.text.isprintable()
            else Segment(self._harmless(segment.text), segment.style)
            for segment in segments
        ]

    def _harmless(self, line: str) -> str:
        line = _SURROGATES.sub("\ufffd", _UNPRINTABLE.sub("", line))
        return line.translate(_ASCII_FORMS) if self._ascii_only else line
