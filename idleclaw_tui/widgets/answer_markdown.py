"""An answer on the screen: one widget that draws the rows which are in sight.

A widget for each block, as Textual's own Markdown has them, makes every layout slower with each
block of each answer. Here a block costs its rows, once, and an answer one widget.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from idleclaw_tui.answer_feed import AnswerFeed, CodePart, Part, PlainPart, in_pieces, whole
from idleclaw_tui.render_budget import TooCostlyError
from idleclaw_tui.widgets.answer_layout import AnswerLayout
from idleclaw_tui.widgets.markdown_blocks import part_blocks
from idleclaw_tui.widgets.markdown_lines import CODE_BACKGROUND, COPY, HREF, Row

MAX_AT_ONCE: Final = 4_000
"""Characters that are read in the event loop's thread; reading more would hold up the keys."""

MAX_STRIPS: Final = 500
"""Rows that are kept as they were drawn; beyond, all are drawn anew when they are in sight."""


class AnswerMarkdown(Widget):
    """An answer, first growing by `grow` and then drawn once more as a whole by `finish`.

    A click on a link posts `LinkClicked` and does nothing else. Text that is too costly to be read
    as Markdown is shown as it is.
    """

    DEFAULT_CSS = """
    AnswerMarkdown { width: 1fr; height: auto; }
    """

    class LinkClicked(Message):
        """The person clicked on a link; `href` is its target as the answer has it."""

        def __init__(self, href: str) -> None:
            super().__init__()
            self.href = href

    class CopyClicked(Message):
        """The person wants block of code `number`."""

        def __init__(self, answer: "AnswerMarkdown", number: int) -> None:
            super().__init__()
            self.answer = answer
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self.auto_links = False
        self.source = ""
        self._feed = AnswerFeed()
        self._layout = AnswerLayout()
        self._styles: dict[str, Style] = {}
        self._strips: dict[tuple[int, Row], Strip] = {}
        self._strips_style: Style | None = None

    def grow(self, text: str) -> None:
        """Draw the whole text so far."""
        self.source = text
        for part in self._feed.feed(text):
            self._layout.settle(part_blocks(part), joined=_continues(part))
        if ending := self._feed.open:
            self._layout.end_with(part_blocks(ending), joined=_continues(ending))
        else:
            self._layout.end_with(())
        self._drawn_anew()

    async def finish(self, text: str) -> None:
        """Draw the whole text for good, with colours in its code."""
        self.source = text
        if len(text) > MAX_AT_ONCE:
            layout = await asyncio.to_thread(_laid_out, text, self._layout.width)
        else:
            layout = _laid_out(text, self._layout.width)
        self._show(layout)

    def show_plain(self, text: str) -> None:
        """Draw the text as it is."""
        self.source = text
        layout = AnswerLayout(self._layout.width)
        layout.settle(part_blocks(PlainPart(text)))
        self._show(layout)

    def _show(self, layout: AnswerLayout) -> None:
        layout.use_width(self._layout.width)
        self._layout = layout
        self._drawn_anew()

    def _drawn_anew(self) -> None:
        self.refresh(layout=len(self._layout.rows) != self.size.height)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return all the width there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows at a width."""
        self._layout.use_width(width)
        return len(self._layout.rows)

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        rows = self._layout.rows
        style = self.visual_style
        if y >= len(rows):
            return Strip.blank(self.size.width, style.rich_style)
        if self.text_selection is not None:
            return self._draw(rows[y], style)
        if style != self._strips_style or len(self._strips) > MAX_STRIPS:
            self._strips_style = style
            self._strips.clear()
        key = self.size.width, rows[y]
        if key not in self._strips:
            self._strips[key] = self._draw(rows[y], style)
        return self._strips[key]

    def _draw(self, row: Row, style: Style) -> Strip:
        if row.line.kind == "code":
            style += self._style(CODE_BACKGROUND)
        segments = [*self._prefixes(row, style), *self._content(row, style)]
        return Strip(segments).extend_cell_length(self.size.width, style.rich_style)

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """Return the selected text, without the bars and blanks beside quotes and code."""
        return self._layout.selected(selection), "\n"

    def notify_style_update(self) -> None:
        """Use the colours of the theme of now."""
        self._styles.clear()
        self._strips.clear()
        super().notify_style_update()

    def on_click(self, event: events.Click) -> None:
        """Tell what was clicked on, if it was a link or the label over code."""
        meta = event.style.meta
        if HREF in meta:
            self.post_message(self.LinkClicked(meta[HREF]))
        elif COPY in meta:
            self.post_message(self.CopyClicked(self, meta[COPY]))

    def _prefixes(self, row: Row, style: Style) -> Iterable[Segment]:
        begin = row.start == 0
        offset = 0 if begin else len(row.line.lead) + row.start
        for prefix in row.line.prefixes:
            look = style + self._style(prefix.style)
            if begin and prefix.copied:
                yield Segment(prefix.first, look.rich_style_with_offset(offset, row.number))
                offset += len(prefix.first)
                continue
            # Each cell is a segment, as all of them stand for the character that comes next.
            for cell in prefix.first if begin else prefix.rest:
                yield Segment(cell, look.rich_style_with_offset(offset, row.number))

    def _content(self, row: Row, style: Style) -> Iterable[Segment]:
        lead = len(row.line.lead)
        content = row.line.content
        selection = self.text_selection
        span = selection.get_span(row.number) if selection else None
        if span is not None:
            start, end = max(0, span[0] - lead), span[1] if span[1] == -1 else span[1] - lead
            content = content.stylize(
                self.screen.get_visual_style("screen--selection", partial=True),
                start,
                None if end == -1 else end,
            )
        content = content[row.start : row.end]
        if row.end < len(row.line.content):
            content = content.rstrip()
        offset = lead + row.start
        for text, look in content.render(style, end="", parse_style=self._style):
            yield Segment(text, (style + look).rich_style_with_offset(offset, row.number))
            offset += len(text)

    def _style(self, style: str | Style) -> Style:
        if isinstance(style, Style):
            return style
        if style not in self._styles:
            self._styles[style] = self.app.stylesheet.parse_style(style)
        return self._styles[style]


def _continues(part: Part) -> bool:
    return isinstance(part, CodePart) and not part.begins


def _laid_out(text: str, width: int) -> AnswerLayout:
    layout = AnswerLayout(width)
    try:
        layout.settle(part_blocks(whole(text)))
    except TooCostlyError:
        for part in in_pieces(text):
            layout.settle(part_blocks(part), joined=_continues(part))
    return layout
