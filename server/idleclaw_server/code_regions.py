"""Where code is in a Markdown text that arrives in pieces.

Followed are fenced blocks and inline code of CommonMark 0.31 (sections 4.5 and 6.1), by lines and
not by its nesting of blocks. Where the two could differ the text counts as prose: inline code ends
in the line it began in, and after a backtick that has no partner in its line nothing counts as
inline code until a blank line; after a line that stands further left than the fence it would be
in, nothing counts as code any more. Indented code counts as prose, because a list's text is
indented too.
"""

import re
from enum import Enum, auto
from typing import Final

_MAX_LINE_HEAD: Final = 128
"""Characters of a line that may come before its fence is recognised as one."""

_TOKEN: Final = re.compile(r"\n|`+|\\|[^\n`\\]+")
_RUN_OR_END: Final = re.compile(r"`+|\n")
_PREFIX = r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*"
_HEAD: Final = re.compile(rf"{_PREFIX}(?:[-*+]|\d{{1,9}}[.)]?|`+|~+)?")
_OPENER: Final = re.compile(rf"({_PREFIX})(`{{3,}}|~{{3,}})")
_CLOSER: Final = re.compile(r"[ \t>]*(`*|~*)[ \t]*")
_LEAD: Final = re.compile(r"[ \t>]*")
_PREFIXED: Final = re.compile(_PREFIX)
_MAX_ANGLE: Final = 1_024
_BLANK: Final = re.compile(r"\s")
_QUOTE_OPENS: Final = re.compile(r"""=\s*["']""")


class Verdict(Enum):
    """What became of the inline code that was open at some place."""

    CODE = auto()
    PROSE = auto()
    WAIT = auto()


class CodeRegions:
    """Follows a text and knows whether its end lies in code.

    Kept are at most 128 characters, of a line that may yet open or close a fence; a line that
    still may after that ends all trust in code.
    """

    __slots__ = (
        "_after_run",
        "_angle",
        "_doubt",
        "_escaped",
        "_fence",
        "_fence_column",
        "_fence_quotes",
        "_html",
        "_line",
        "_list_column",
        "_opener",
        "_run",
        "_span",
        "_trusted",
    )

    def __init__(self) -> None:
        self._line: str | None = ""
        self._fence = ""
        self._fence_column = 0
        self._fence_quotes = 0
        self._list_column = 0
        self._angle: str | None = None
        self._html = False
        self._opener = ""
        self._span = 0
        self._run = 0
        self._after_run = False
        self._escaped = False
        self._doubt = False
        self._trusted = True

    @property
    def in_fence(self) -> bool:
        """Whether what comes next is inside a fenced block."""
        return bool(self._fence)

    @property
    def in_span(self) -> bool:
        """Whether what comes next is inline code, if its end is still to come in this line."""
        return self._span > 0

    @property
    def at_rest(self) -> bool:
        """Whether text without newlines, backslashes and backticks changes nothing here."""
        return not self._trusted or (
            self._line is None and self._angle is None and not self._run and not self._escaped
        )

    def follow(self, text: str) -> None:
        """Move on by `text`."""
        self._after_run = False
        for token in _TOKEN.findall(text):
            if not self._trusted:
                return
            if token == "\n":
                self._end_run()
                self._follow_angle(token)
                self._end_line()
            elif token[0] == "`":
                self._run += len(token)
                self._extend_line(token)
            else:
                self._end_run()
                self._extend_line(token)
                self._follow_angle(token)
                self._escaped = token == "\\" and not self._escaped

    def interrupt(self) -> None:
        """Know that a "<" comes next; `follow` gets it if it stays."""
        self._after_run |= self._run > 0 or bool(self._line and self._line[-1] == "~")
        self._end_run()
        if self._line and self._line[-1] == "~":
            self._extend_line(" ")
        if self._fence and self._line is not None:
            self._check_lead(self._line)

    @property
    def needs_gap(self) -> bool:
        """Whether what was taken out here leaves a space, lest fence characters come together."""
        return self._after_run

    def span_end(self, text: str, at: int, limit: int, *, final: bool) -> tuple[Verdict, int]:
        """Look ahead from `text[at]`, inside a span, for its end before `limit`.

        Returns CODE and where the code ends, or PROSE where it turns out that this is none.
        """
        for match in _RUN_OR_END.finditer(text, at):
            if match.end() >= limit:
                break
            if match[0] == "\n":
                return (Verdict.CODE, match.start()) if self._opener else (Verdict.PROSE, at)
            if match.end() == len(text) and not final:
                return Verdict.WAIT, at
            if match.end() - match.start() == self._span:
                return Verdict.CODE, match.end()
            self._opener = ""
        waits = not final and len(text) < limit
        return Verdict.WAIT if waits else Verdict.PROSE, at

    def mistrust_span(self) -> None:
        """Take back that the present span is code, and every other until a blank line."""
        self._span = 0
        self._doubt = True
        if self._opener:
            self._lose_trust()

    def _extend_line(self, token: str) -> None:
        if self._line is None:
            return
        if not self._fence and token[0] == "<" and (token[1:2].isalpha() or token[1:2] == "/"):
            self._html = self._doubt = True
        line = self._line + token
        if self._fence:
            self._extend_fenced(line)
        elif _HEAD.fullmatch(line):
            self._line = line
        else:
            self._line = None
            opener = self._opener_in(line)
            if opener is not None and opener[2][0] == "~":
                self._open(opener[1], opener[2])
            else:
                self._list_column = self._list_column_after(line)
        if self._line is not None and len(self._line) > _MAX_LINE_HEAD:
            self._shorten_line(self._line)

    def _shorten_line(self, line: str) -> None:
        if self._fence and not line.strip(" \t>"):
            self._line = line[:_MAX_LINE_HEAD]
        else:
            self._lose_trust()

    def _extend_fenced(self, line: str) -> None:
        lead = _LEAD.match(line)
        assert lead is not None
        self._line = line if _CLOSER.fullmatch(line) else None
        if lead.end() < len(line):
            self._check_lead(lead[0])

    def _check_lead(self, lead: str) -> None:
        if _columns(lead) < self._fence_column or lead.count(">") != self._fence_quotes:
            self._lose_trust()

    def _follow_angle(self, token: str) -> None:
        """Remember what follows a "<" that stayed, until a ">" without quotes before it."""
        if self._fence or self._span or (self._angle is None and token[0] != "<"):
            return
        before, closing, _ = token.partition(">")
        angle = (self._angle or "") + before
        closed = closing and '"' not in angle and "'" not in angle
        self._angle = None if closed else ((self._angle or "") + token)[:_MAX_ANGLE]

    def _hides_code(self) -> bool:
        """Whether a backtick here may be part of a link or an attribute (CommonMark 6.5, 6.6)."""
        angle = self._angle
        if angle is None:
            return False
        link = angle.rpartition("<")[2]
        return (
            len(angle) == _MAX_ANGLE or not _BLANK.search(link) or bool(_QUOTE_OPENS.search(angle))
        )

    def _end_run(self) -> None:
        run, self._run = self._run, 0
        if not run or self._fence:
            return
        opener = self._opener_in(self._line)
        if self._escaped and not self._span:
            run -= 1
        self._escaped = False
        if opener is not None:
            self._opener = self._line or ""
            self._span = 0 if self._doubt else run
            self._line = None
            return
        self._opener = ""
        if run == self._span:
            self._span = 0
        elif not self._span and self._hides_code():
            self._doubt = True
        elif not self._span and not self._doubt:
            self._span = run

    def _end_line(self) -> None:
        line, self._line = self._line, ""
        self._escaped = False
        if self._fence:
            closer = None if line is None else _CLOSER.fullmatch(line)
            if closer is not None and closer[1].startswith(self._fence):
                self._fence = ""
            elif line is not None and line.count(">") != self._fence_quotes:
                self._lose_trust()
            return
        opener, self._opener = self._opener_in(self._opener or line), ""
        if opener is not None:
            self._open(opener[1], opener[2])
            self._line = ""
        elif line is not None and not line.strip(" \t>"):
            self._doubt = self._html = False
            self._angle = None
        elif self._span:
            self._doubt = True
        self._span = 0

    def _open(self, prefix: str, fence: str) -> None:
        if self._html:
            # In a block of HTML (CommonMark 4.6) this would be no fence.
            self._lose_trust()
            return
        self._fence = fence
        self._fence_column = _columns(prefix)
        self._fence_quotes = prefix.count(">")
        self._line = None
        self._span = 0
        self._doubt = False
        self._angle = None

    def _opener_in(self, line: str | None) -> re.Match[str] | None:
        """Return the fence that `line` opens; one indented by four columns or more opens none."""
        opener = _OPENER.match(line) if line else None
        if opener is None:
            return None
        lead = _LEAD.match(opener[1])
        assert lead is not None
        return opener if _columns(lead[0]) - self._list_column < 4 else None

    def _list_column_after(self, line: str) -> int:
        """Return the column in which the text of the present list item begins, 0 outside lists."""
        prefix, lead = _PREFIXED.match(line), _LEAD.match(line)
        assert prefix is not None
        assert lead is not None
        if prefix.end() > lead.end():
            return _columns(prefix[0])
        return self._list_column if _columns(lead[0]) >= self._list_column else 0

    def _lose_trust(self) -> None:
        self._trusted = False
        self._fence = self._opener = ""
        self._span = self._run = 0
        self._line = self._angle = None


def _columns(lead: str) -> int:
    return len(lead.expandtabs(4))
