"""From the parts of an answer to the blocks it is laid out from."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from markdown_it.token import Token
from textual.content import Content, Span
from textual.highlight import HighlightTheme, highlight
from textual.style import Style

from idleclaw_protocol.text_safety import clean
from idleclaw_tui.markdown.answer_feed import CodePart, Part, PlainPart
from idleclaw_tui.markdown.code_blocks import CodeBlock, code_block, is_code
from idleclaw_tui.markdown.render_budget import may_highlight
from idleclaw_tui.screen.widgets.markdown_lines import (
    HREF,
    Block,
    CodeHead,
    Line,
    Prefix,
    Rule,
    Table,
)

_SPACES: Final = re.compile(r"\s+")
_QUOTE: Final = Prefix("▌ ", "▌ ", "$border-blurred")
_CODE: Final = Prefix("  ", "  ")
_BULLETS: Final = "•▪‣"
_HEADINGS: Final = {
    "h1": "bold $markdown-h1-color",
    "h2": "bold $markdown-h2-color",
    "h3": "bold $markdown-h3-color",
}
_INLINE: Final = {"em": "italic", "strong": "bold", "s": "strike"}
_INLINE_CODE: Final = "$text-warning on $warning 10%"
_LINK: Final = "underline $link-color"
_TAB: Final = "    "


_CODE_COLOURS: Final[type[HighlightTheme]] = type(
    "CodeColours",
    (HighlightTheme,),
    {"STYLES": {t: s.replace(" underline", "") for t, s in HighlightTheme.STYLES.items()}},
)
"""Textual's colours of code, without its underlines, which links have."""


def part_blocks(part: Part, prefixes: tuple[Prefix, ...] = ()) -> Iterator[Block]:
    """Yield the blocks of a part; an empty line stands between blocks, not around them."""
    if isinstance(part, PlainPart):
        for line in part.text.removesuffix("\n").split("\n"):
            yield Line(Content(clean(line).replace("\t", _TAB)))
    elif isinstance(part, CodePart):
        yield from _code(part.code, prefixes, begins=part.begins, colours=part.begins and part.ends)
    else:
        yield from _Writer(part.tokens, part.codes).blocks()


def _code(
    code: CodeBlock, prefixes: tuple[Prefix, ...], *, begins: bool = True, colours: bool
) -> Iterator[Block]:
    prefixes = (*prefixes, _CODE)
    text = clean(code.text).replace("\t", _TAB)
    language = clean(code.language)
    if begins:
        yield CodeHead(code.number, language, prefixes)
    if colours and may_highlight(text):
        content = highlight(text, language=language or "text", theme=_CODE_COLOURS)
    else:
        content = Content(text)
    for line in content.split("\n", allow_blank=True):
        yield Line(line, prefixes, "code")


class _Writer:
    """Walks through the tokens of whole blocks."""

    def __init__(self, tokens: Sequence[Token], codes: int) -> None:
        self._tokens = tokens
        self._codes = codes
        self._prefixes: list[Prefix] = []
        self._lists: list[_List] = []
        self._gap = False
        self._style = ""
        self._table: Table | None = None

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks."""
        for index, token in enumerate(self._tokens):
            if token.nesting == 1:
                yield from self._open(token, index)
            elif token.nesting == -1:
                yield from self._close(token)
            else:
                yield from self._leaf(token)

    def _open(self, token: Token, index: int) -> Iterator[Block]:
        match token.type:
            case "blockquote_open":
                yield from self._separate()
                self._prefixes.append(_QUOTE)
                self._lists.append(_List(tight=False))
            case "bullet_list_open" | "ordered_list_open":
                yield from self._separate()
                self._lists.append(_List.of(self._tokens, index))
            case "list_item_open":
                yield from self._separate()
                self._prefixes.append(self._item())
            case "heading_open":
                self._style = _HEADINGS.get(token.tag, "bold")
            case "table_open":
                yield from self._separate()
                self._table = Table([], [], self._lead())
            case "tr_open" if self._table:
                self._table.rows.append([])
            case "th_open" if self._table:
                style = str(token.attrs.get("style", ""))
                self._table.alignments.append(style.removeprefix("text-align:"))

    def _close(self, token: Token) -> Iterator[Block]:
        self._gap = not (self._lists and self._lists[-1].tight)
        match token.type:
            case "blockquote_close":
                self._prefixes.pop()
                self._lists.pop()
            case "list_item_close":
                if self._prefixes[-1].first != self._prefixes[-1].rest:
                    yield Line(Content(), self._lead())
                self._prefixes.pop()
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                self._gap = not (self._lists and self._lists[-1].tight)
            case "heading_close":
                self._style = ""
            case "table_close" if self._table:
                yield self._table
                self._table = None

    def _leaf(self, token: Token) -> Iterator[Block]:
        if token.type == "inline" and self._table:
            self._table.rows[-1].append(inline(token.children or ()))
            return
        yield from self._separate()
        if token.type == "inline":
            content = inline(token.children or ())
            for line in content.split("\n", allow_blank=True):
                yield Line(line.stylize(self._style) if self._style else line, self._lead())
        elif is_code(token):
            self._codes += 1
            yield from _code(code_block(token, self._codes), self._lead(), colours=True)
        elif token.type == "hr":
            yield Rule(self._lead())
        self._gap = not (self._lists and self._lists[-1].tight)

    def _separate(self) -> Iterator[Block]:
        """Yield an empty line where a block came before this one."""
        if self._gap:
            yield Line(Content(), tuple(p._replace(first=p.rest) for p in self._prefixes))
        self._gap = False

    def _lead(self) -> tuple[Prefix, ...]:
        """Return what stands left of the next block, whose first line may have a bullet."""
        lead = tuple(self._prefixes)
        self._prefixes = [prefix._replace(first=prefix.rest) for prefix in self._prefixes]
        return lead

    def _item(self) -> Prefix:
        current = self._lists[-1]
        if current.number is None:
            depth = sum(a_list.number is None for a_list in self._lists)
            mark = f"{_BULLETS[(depth - 1) % len(_BULLETS)]} "
        else:
            mark = f"{current.number}. ".rjust(current.width)
            current.number += 1
        return Prefix(mark, " " * len(mark), "$text-primary", copied=True)


@dataclass(slots=True)
class _List:
    """A list, or a quotation, which is one without marks."""

    tight: bool
    number: int | None = None
    width: int = 0

    @classmethod
    def of(cls, tokens: Sequence[Token], index: int) -> "_List":
        """Return the list that opens at `index`: tight where its items are single lines."""
        opening = tokens[index]
        items, tight = 0, True
        for token in islice(tokens, index + 1, None):
            if token.level == opening.level and token.nesting == -1:
                break
            items += token.type == "list_item_open" and token.level == opening.level + 1
            if token.type == "paragraph_open" and token.level == opening.level + 2:
                tight = tight and token.hidden
        if opening.type == "bullet_list_open":
            return cls(tight)
        start = int(opening.attrs.get("start", 1))
        return cls(tight, start, len(f"{start + items - 1}. "))


def inline(tokens: Sequence[Token]) -> Content:
    """Return the text inside a block; links and images say in their style where they lead."""
    text: list[str] = []
    spans: list[Span] = []
    opened: list[tuple[int, tuple[str | Style, ...]]] = []
    position = 0

    def add(piece: str) -> None:
        nonlocal position
        text.append(piece)
        position += len(piece)

    for token in tokens:
        if token.nesting == 1:
            name = token.type.removesuffix("_open")
            href = str(token.attrs.get("href", ""))
            opened.append((position, _link(href) if name == "link" else (_INLINE.get(name, ""),)))
        elif token.nesting == -1:
            start, styles = opened.pop()
            spans += [Span(start, position, style) for style in styles]
        elif token.type == "image":
            start = position
            add(f"🖼 {_flat(token.content) or 'image'}")
            link = _link(str(token.attrs.get("src", "")))
            spans += [Span(start, position, style) for style in link]
        elif token.type == "code_inline":
            spans.append(Span(position, position + len(_flat(token.content)), _INLINE_CODE))
            add(_flat(token.content))
        else:
            add({"softbreak": " ", "hardbreak": "\n"}.get(token.type) or _flat(token.content))
    return Content("".join(text), spans)


def _link(href: str) -> tuple[str | Style, ...]:
    return _LINK, Style.from_meta({HREF: href})


def _flat(text: str) -> str:
    return _SPACES.sub(" ", clean(text))
