"""What an answer is laid out from: lines, tables and rules, each of which knows its look.

All text was cleaned before it came here; styles name the colours of the theme.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from textual.content import Content
from textual.style import Style

from idleclaw_tui.screen.widgets.wrapping import cell_breaks, word_breaks

MAX_PROSE: Final = 112
"""Cells of a line that people can still read with ease."""

CODE_BACKGROUND: Final = "on $surface"
DIM: Final = "$text-muted"
HREF: Final = "href"
COPY: Final = "copy"
_MIN_WIDTH: Final = 4
_GUTTER: Final = " │ "


class Prefix(NamedTuple):
    """What stands left of a block: on its first line and on all others, equally wide."""

    first: str
    rest: str
    style: str = ""
    copied: bool = False
    """Whether it belongs to the text that is copied, as the number of a list's item does."""


class Row(NamedTuple):
    """A row of the screen: a part of a line."""

    line: "Line"
    number: int
    """Counts the lines of an answer."""
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line that is wrapped where it is too long for the screen."""

    content: Content
    prefixes: tuple[Prefix, ...] = ()
    kind: Literal["prose", "code", "wide"] = "prose"

    @property
    def lead(self) -> str:
        """What is copied before the content."""
        return "".join(prefix.first for prefix in self.prefixes if prefix.copied)

    @property
    def copied(self) -> str:
        """The text of the line as it is copied."""
        return self.lead + self.content.plain

    def lines(self, width: int) -> Iterator["Line"]:
        """Return the line: it is the same at any width."""
        yield self

    def rows(self, width: int, number: int) -> Iterator[Row]:
        """Yield the rows of this line, which is the one with that number."""
        text = self.content.plain
        room = max(_MIN_WIDTH, width - sum(len(prefix.rest) for prefix in self.prefixes))
        if self.kind == "code":
            breaks = cell_breaks(text, room)
        else:
            breaks = word_breaks(text, min(room, MAX_PROSE) if self.kind == "prose" else room)
        start = 0
        for cut in breaks:
            yield Row(self, number, start, cut)
            start = cut
        yield Row(self, number, start, len(text))


EMPTY_LINE: Final = Line(Content())


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the answer."""

    prefixes: tuple[Prefix, ...]

    def lines(self, width: int) -> Iterator[Line]:
        """Yield the line, as wide as prose is."""
        room = max(_MIN_WIDTH, width - sum(len(prefix.rest) for prefix in self.prefixes))
        yield Line(Content.styled("─" * min(room, MAX_PROSE), "$border-blurred"), self.prefixes)


@dataclass(frozen=True, slots=True)
class CodeHead:
    """The line over code: its language, and the number by which it is copied."""

    number: int
    language: str
    prefixes: tuple[Prefix, ...]

    def lines(self, width: int) -> Iterator[Line]:
        """Yield the line; a click on its end is to copy the code."""
        label = f"copy {self.number}"
        room = width - 2 - sum(len(prefix.rest) for prefix in self.prefixes)
        gap = max(1, room - Content(self.language).cell_length - len(label))
        head = Content.assemble(
            (f"{self.language}{' ' * gap}", DIM),
            (label, Style.from_meta({COPY: self.number})),
        )
        yield Line(head.stylize(DIM), self.prefixes, "code")


@dataclass(frozen=True, slots=True)
class Table:
    """A table, whose columns become narrower until it fits."""

    rows: list[list[Content]]
    alignments: list[str]
    prefixes: tuple[Prefix, ...]

    def lines(self, width: int) -> Iterator[Line]:
        """Yield the heading, a rule and the rows, each of as many lines as its cells need."""
        room = width - sum(len(prefix.rest) for prefix in self.prefixes)
        widths = self._widths(room)
        for index, row in enumerate(self.rows):
            for content in self._row(row, widths):
                yield Line(content.stylize("bold") if not index else content, self.prefixes, "wide")
            if not index:
                rule = "─┼─".join("─" * width for width in widths)
                yield Line(Content.styled(rule, "$border-blurred"), self.prefixes, "wide")

    def _widths(self, room: int) -> list[int]:
        natural = [
            max(max((row[column].cell_length for row in self.rows), default=1), 1)
            for column in range(len(self.alignments))
        ]
        room = max(room - len(_GUTTER) * (len(natural) - 1), len(natural))
        limit = min(max(natural, default=1), room)
        while limit > 1 and sum(min(width, limit) for width in natural) > room:
            limit -= 1
        return [min(width, limit) for width in natural]

    def _row(self, row: Sequence[Content], widths: Sequence[int]) -> Iterator[Content]:
        wrapped = [
            cell.divide(word_breaks(cell.plain, width))
            for cell, width in zip(row, widths, strict=True)
        ]
        for index in range(max(map(len, wrapped), default=0)):
            pieces: list[Content | tuple[str, str]] = []
            for column, cell in enumerate(wrapped):
                if column:
                    pieces.append((_GUTTER, "$border-blurred"))
                piece = cell[index].rstrip() if index < len(cell) else Content()
                pieces.append(_aligned(piece, widths[column], self.alignments[column]))
            yield Content.assemble(*pieces)


Block = Line | Rule | CodeHead | Table


def _aligned(content: Content, width: int, alignment: str) -> Content:
    space = max(0, width - content.cell_length)
    if alignment == "right":
        return content.pad_left(space)
    if alignment == "center":
        return content.pad_left(space // 2).pad_right(space - space // 2)
    return content.pad_right(space)
