"""Markdown as answers are read: CommonMark with tables and strikethrough, and no HTML.

HTML is text here, so that `List<String>` and `<think>` survive.
"""

from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from idleclaw_tui.markdown.render_budget import TooCostlyError, check_source, may_linkify

MAX_NESTING: Final = 19
"""Quotes and lists inside each other; the parser drops what is one level deeper."""


def parse(source: str) -> list[Token]:
    """Return the tokens of `source`; raises TooCostlyError where finding them would take long.

    Builds a parser of its own each time, so that it can run in any thread.
    """
    check_source(source)
    parser = _parser()
    parser.options["linkify"] = may_linkify(source)
    return _complete(parser.parse(source))


def parse_piece(source: str) -> list[Token]:
    """Return the same as `parse`, sooner, for the event loop's thread alone."""
    check_source(source)
    return _complete(_shared_parser(may_linkify(source)).parse(source))


def block_tokens(source: str) -> list[Token]:
    """Return the tokens of the blocks of `source` without what is inside paragraphs."""
    return _block_parser().parse(source)


def _complete(tokens: list[Token]) -> list[Token]:
    """Refuse tokens from which the parser left out what is nested too deeply for it."""
    if any(token.level >= MAX_NESTING for token in tokens):
        raise TooCostlyError
    return tokens


def _parser() -> MarkdownIt:
    return MarkdownIt("gfm-like", {"html": False})


@cache
def _shared_parser(linkify: bool) -> MarkdownIt:
    parser = _parser()
    parser.options["linkify"] = linkify
    return parser


@cache
def _block_parser() -> MarkdownIt:
    parser = _parser()
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
