"""The rows of an answer at one width, of which only the last ones are made anew as it grows."""

from collections.abc import Iterable

from textual.selection import Selection

from idleclaw_tui.screen.widgets.markdown_lines import EMPTY_LINE, Block, Line, Row


class AnswerLayout:
    """Lays out blocks in rows; `rows` are all of them, empty as long as the width is 0."""

    def __init__(self, width: int = 0) -> None:
        self.width = width
        self.rows: list[Row] = []
        self._settled: list[Block] = []
        self._ending: list[Block] = []
        self._lines: list[Line] = []
        self._settled_rows = 0
        self._settled_lines = 0

    def settle(self, blocks: Iterable[Block], *, joined: bool = False) -> None:
        """Add blocks for good; an empty line comes before them, unless they are `joined`."""
        self._drop_ending()
        added = self._after_gap(self._settled, blocks, joined)
        self._settled += added
        self._lay_out(added)
        self._settled_rows, self._settled_lines = len(self.rows), len(self._lines)

    def end_with(self, blocks: Iterable[Block], *, joined: bool = False) -> None:
        """Let these blocks be the end until the next change."""
        self._drop_ending()
        self._ending = self._after_gap(self._settled, blocks, joined)
        self._lay_out(self._ending)

    def use_width(self, width: int) -> None:
        """Lay out everything anew if the width is another one."""
        if width == self.width:
            return
        self.width = width
        self.rows, self._lines = [], []
        self._lay_out(self._settled)
        self._settled_rows, self._settled_lines = len(self.rows), len(self._lines)
        self._lay_out(self._ending)

    def selected(self, selection: Selection) -> str:
        """Return the text in `selection`, as it is copied."""
        pieces = []
        for number, line in enumerate(self._lines):
            span = selection.get_span(number)
            if span is not None:
                start, end = span
                pieces.append(line.copied[start : None if end == -1 else end])
        return "\n".join(pieces)

    @staticmethod
    def _after_gap(before: list[Block], blocks: Iterable[Block], joined: bool) -> list[Block]:
        added = list(blocks)
        if before and added and not joined:
            added.insert(0, EMPTY_LINE)
        return added

    def _drop_ending(self) -> None:
        del self.rows[self._settled_rows :]
        del self._lines[self._settled_lines :]
        self._ending = []

    def _lay_out(self, blocks: Iterable[Block]) -> None:
        if not self.width:
            return
        for block in blocks:
            for line in block.lines(self.width):
                self.rows.extend(line.rows(self.width, len(self._lines)))
                self._lines.append(line)
