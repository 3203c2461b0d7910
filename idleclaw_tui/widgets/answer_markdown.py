"""Markdown as strangers write it: no HTML, no opened links, no more widgets than a budget."""

from collections.abc import MutableMapping
from typing import Any, cast

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Markdown
from textual.widgets._markdown import (
    MarkdownBlock,
    MarkdownFence,
    MarkdownTable,
    MarkdownTableContent,
)

from idleclaw_tui.render_budget import MAX_HIGHLIGHTED_LINES, MarkdownBudget, may_linkify


class _BudgetedParser(MarkdownIt):
    """Refuses, with TooCostlyError, a document that would take too much time or widgets."""

    def __init__(self, budget: MarkdownBudget) -> None:
        super().__init__("gfm-like", {"html": False})
        self._budget = budget

    def parse(self, src: str, env: MutableMapping[str, Any] | None = None) -> list[Token]:
        self._budget.check_source(src)
        self.options["linkify"] = may_linkify(src)
        tokens = super().parse(src, env)
        self._budget.admit(tokens)
        return tokens


class _Fence(MarkdownFence):
    """Code, in colours up to a length that they can be had for."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        if code.count("\n") >= MAX_HIGHLIGHTED_LINES:
            return Content(code)
        return super().highlight(code, language, ansi=ansi, dark=dark)


class _OpenFence(MarkdownFence):
    """Code that still grows: plain, because each new line would colour all of it again."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        return Content(code)


class _TableContent(MarkdownTableContent):
    """A table's cells without tooltips, which would read the text of a cell as markup."""

    def compose(self) -> ComposeResult:
        for item in super().compose():
            item.tooltip = None
            yield item


class _Table(MarkdownTable):
    def compose(self) -> ComposeResult:
        for item in super().compose():
            content = cast(MarkdownTableContent, item)
            yield _TableContent(content.headers, content.rows)


class AnswerMarkdown(Markdown):
    """An answer, first growing by `append` and then drawn once more as a whole by `finish`.

    Both raise TooCostlyError where the answer is to be drawn plain instead; the widget must then
    be removed. A click on a link posts `Markdown.LinkClicked` and opens nothing.
    """

    def __init__(self) -> None:
        self._budget = MarkdownBudget()
        self._growing = True
        super().__init__(parser_factory=self._parser, open_links=False)

    def get_block_class(self, block_name: str) -> type[MarkdownBlock]:
        """Return the widget for a kind of block."""
        if block_name in ("fence", "code_block"):
            return _OpenFence if self._growing else _Fence
        if block_name == "table_open":
            return _Table
        return super().get_block_class(block_name)

    async def finish(self, text: str) -> None:
        """Draw the whole text, with colours in its code."""
        self._growing = False
        self._budget = MarkdownBudget()
        await self.update(text)

    def _parser(self) -> MarkdownIt:
        return _BudgetedParser(self._budget)
