"""Running a text through the answer filter, whole and in pieces."""

import re
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.html_elements import KNOWN

_TAG = re.compile(r"</?([A-Za-z][\w-]*)(?=[\s/>])", re.ASCII)
_RENDERER = MarkdownIt("commonmark")

PARTS = (
    *("<b>", "</b>", "<br>", "<div>", "<script>", "</script>", "<img src=x>", "<scr", "ipt>"),
    *("<tool_call>", "</tool_call>", "<!--", "-->", "<!", "<!DOCTYPE a>", "<?", "?>", "</", "<"),
    *("<<", ">", "<y", "<foo>", "</foo>", '<foo a="', "<i x='", "<https://a.", "'", '"', "="),
    *("`", "``", "```", "~~~", "\\", "\n", "\n\n", " ", "    ", "\t", "- ", "> ", "1. ", "# "),
    *("***", "|", "[a](", "]", "x", "html", "&lt;", "\x1b[", "\x07", "\u2028", "é"),
)
"""Pieces of which every boundary that the filter knows can be made."""

markdown = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=24).map("".join)


def filtered(pieces: Iterable[str]) -> str:
    """Return what a consumer gets of an answer that comes in `pieces`."""
    answer = AnswerFilter()
    return "".join(map(answer.decode, pieces)) + answer.flush()


def cut(text: str, places: Iterable[int]) -> list[str]:
    """Return `text` cut at `places`."""
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def rendered_tags(text: str) -> list[str]:
    """Return the known elements that a CommonMark renderer would pass through as HTML."""
    return [
        match[1].lower()
        for token in _flat(_RENDERER.parse(text))
        if token.type in ("html_inline", "html_block")
        for match in _TAG.finditer(token.content)
        if match[1].lower() in KNOWN
    ]


def _flat(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or ())
