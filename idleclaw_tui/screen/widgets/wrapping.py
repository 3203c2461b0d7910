"""Where lines break: at words for prose, anywhere for code."""

import re
from typing import Final

from rich.cells import cell_len, get_character_cell_size

_WORD: Final = re.compile(r"\S*\s*")


def word_breaks(text: str, width: int) -> list[int]:
    """Return the offsets at which `text` continues on a new line of `width` cells.

    A word longer than a line is cut. Blanks at the end of a line may stand beyond its end.
    """
    if len(text) <= width and text.isascii():
        return []
    breaks: list[int] = []
    used = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        word = match.group()
        letters = cell_len(word.rstrip())
        if used and used + letters > width:
            breaks.append(start)
            used = 0
        if letters > width:
            cuts = [start + cut for cut in cell_breaks(word.rstrip(), width)]
            breaks += cuts
            used = cell_len(text[cuts[-1] : end]) if cuts else cell_len(word)
        else:
            used += cell_len(word)
    return breaks


def cell_breaks(text: str, width: int) -> list[int]:
    """Return the offsets at which `text` is cut into pieces of at most `width` cells."""
    if text.isascii():
        return list(range(width, len(text), width))
    breaks: list[int] = []
    used = 0
    for offset, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > width and used:
            breaks.append(offset)
            used = 0
        used += size
    return breaks
