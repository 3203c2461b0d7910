"""A growing answer, cut into parts that are settled and one part that still grows.

Only the end is read anew when more comes, so that an answer costs the same at its end as at its
beginning. What is settled too early (the target of a reference, the rest of a huge table) is put
right when the answer has ended and is read as a whole.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from markdown_it.token import Token

from idleclaw_tui.markdown.code_blocks import CodeBlock, code_block, is_code
from idleclaw_tui.markdown.parser import parse, parse_piece
from idleclaw_tui.markdown.render_budget import TooCostlyError

MAX_PIECE: Final = 16_000
"""Characters read at once; what came beyond them waits for the next time."""

MAX_OPEN: Final = 6_000
"""The part that grows is at most about this long; a longer block is settled in pieces."""

OPEN_CODE_LINES: Final = 60
"""Lines of code that still grow; earlier ones of the same block are settled."""


@dataclass(frozen=True, slots=True)
class MarkdownPart:
    """Whole blocks; `codes` blocks of code came before them in the answer."""

    tokens: Sequence[Token]
    codes: int


@dataclass(frozen=True, slots=True)
class CodePart:
    """A piece of a block of code; one that does not begin continues the part before it."""

    code: CodeBlock
    begins: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class PlainPart:
    """Text that is not read as Markdown, because that would take too long."""

    text: str


Part = MarkdownPart | CodePart | PlainPart


@dataclass(slots=True)
class _OpenFence:
    close: re.Pattern[str]
    indent: re.Pattern[str]
    number: int
    language: str
    begins: bool = True


@dataclass(slots=True)
class AnswerFeed:
    """Reads an answer that only ever grows.

    `open` is the part behind the settled ones as it stands now, None where nothing is behind them.
    """

    open: Part | None = None
    settled: int = 0
    """Characters that are not read again."""
    _codes: int = 0
    _fence: _OpenFence | None = None
    _parts: list[Part] = field(default_factory=list)

    def feed(self, text: str) -> list[Part]:
        """Take in the whole text so far; return the parts that are settled since the last time.

        Reads `MAX_PIECE` characters of what is not settled; feed again to get further.
        """
        self._parts, self.open = [], None
        end = self.settled + MAX_PIECE
        if end < len(text):
            # A half line would be read as something else than the whole one.
            end = text.rfind("\n", self.settled, end) + 1 or end
        # The parser ends a line at a carriage return as well; a space keeps all places as they are.
        text = text[:end].replace("\r", " ")
        while self.settled < len(text) and self._step(text[self.settled :]):
            pass
        return self._parts

    def _step(self, tail: str) -> bool:
        """Settle what can be; return whether it is worth while to look at the rest again."""
        if self._fence:
            return self._read_code(self._fence, tail)
        try:
            return self._read_blocks(tail)
        except TooCostlyError:
            self._settle(PlainPart(tail), len(tail))
            return False

    def _read_blocks(self, tail: str) -> bool:
        tokens = parse_piece(tail)
        ends = _line_ends(tail)
        last = _last_block(tokens, len(ends))
        line = _first_line(tokens[last]) if tokens else 0
        begin = ends[line - 1] if line else 0
        self._settle_blocks(tokens[:last], begin)
        tokens, tail = tokens[last:], tail[begin:]
        if tokens and tokens[0].type == "fence" and line < len(ends):
            self._open_fence(tokens[0], tail[: ends[line] - begin])
            return True
        if len(tail) > MAX_OPEN:
            cut = tail.rfind("\n") + 1 or len(tail)
            self._settle_blocks(parse_piece(tail[:cut]), cut)
            return cut < len(tail)
        self.open = MarkdownPart(tokens, self._codes) if tokens else None
        return False

    def _open_fence(self, token: Token, opener: str) -> None:
        indent = len(opener) - len(opener.lstrip(" "))
        mark, length = re.escape(token.markup[0]), len(token.markup)
        self._codes += 1
        self.settled += len(opener)
        self._fence = _OpenFence(
            re.compile(rf"^ {{0,3}}{mark}{{{length},}}[ \t]*$", re.MULTILINE),
            re.compile(rf"^ {{0,{indent}}}", re.MULTILINE),
            self._codes,
            code_block(token, self._codes).language,
        )
        self.open = self._code(self._fence, "", ends=False)

    def _read_code(self, fence: _OpenFence, tail: str) -> bool:
        closing = fence.close.search(tail)
        if closing and (closing.end() < len(tail) or len(tail) > MAX_OPEN):
            part = self._code(fence, tail[: closing.start()], ends=True)
            self._fence = None
            self._settle(part, min(closing.end() + 1, len(tail)))
            return True
        if closing:
            tail = tail[: closing.start()]
        elif tail.count("\n") > OPEN_CODE_LINES or len(tail) > MAX_OPEN:
            cut = tail.rfind("\n") + 1 or len(tail)
            self._settle(self._code(fence, tail[:cut], ends=False), cut)
            fence.begins = False
            tail = tail[cut:]
        if tail or fence.begins:
            self.open = self._code(fence, tail, ends=False)
        return False

    def _code(self, fence: _OpenFence, source: str, *, ends: bool) -> CodePart:
        code = fence.indent.sub("", source).removesuffix("\n")
        code = code.rstrip() if ends and fence.begins else code
        return CodePart(CodeBlock(fence.number, fence.language, code), fence.begins, ends)

    def _settle_blocks(self, tokens: Sequence[Token], length: int) -> None:
        if tokens:
            self._parts.append(MarkdownPart(tokens, self._codes))
        self._codes += sum(map(is_code, tokens))
        self.settled += length
        self.open = None

    def _settle(self, part: Part, length: int) -> None:
        self._parts.append(part)
        self.settled += length
        self.open = None


def whole(text: str) -> Part:
    """Return an answer that has ended, as one part; raises TooCostlyError where it takes long."""
    return MarkdownPart(parse(text), 0)


def in_pieces(text: str) -> Iterator[Part]:
    """Return the parts of an answer that is too costly to be read as a whole."""
    feed, place = AnswerFeed(), -1
    while feed.settled != place:
        place = feed.settled
        yield from feed.feed(text)
    if feed.open:
        yield feed.open


def _line_ends(text: str) -> list[int]:
    """Return where the whole lines of `text` end."""
    return [match.end() for match in re.finditer("\n", text)]


def _last_block(tokens: Sequence[Token], lines: int) -> int:
    """Return the index of the last top-level block that begins in one of so many whole lines."""
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        if token.level == 0 and token.map is not None and token.map[0] < lines:
            return index
    return 0


def _first_line(token: Token) -> int:
    return token.map[0] if token.map else 0
