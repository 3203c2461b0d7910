"""Cleaning of text that a stranger's machine sent, before a terminal or another peer sees it.

Removed: C0 controls except newline and tab, DEL, C1 controls, whole escape sequences (ECMA-48:
CSI, OSC, DCS, SOS, PM, APC and the short ones, in their ESC and their 8-bit form), characters
with the Unicode property Bidi_Control, and the tag characters U+E0000 to U+E007F. Turned into a
newline: VT, FF, U+0085, U+2028 and U+2029, because some readers end a line there and others do
not. Lone surrogates become U+FFFD.
"""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

_BIDI_CONTROLS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_UNSAFE_CLASS = f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI_CONTROLS}{_TAGS}\ud800-\udfff]"

is_unsafe: Final = re.compile(_UNSAFE_CLASS).search
"""Finds the first character that cleaning would touch; the whole cost of a clean chunk."""


def unsafe_or(characters: str) -> Callable[[str], re.Match[str] | None]:
    """Return a search like `is_unsafe` that stops at any of `characters` as well."""
    return re.compile(f"{_UNSAFE_CLASS[:-1]}{re.escape(characters)}]").search


_LINE_ENDS: Final = frozenset("\x0b\x0c\x85\u2028\u2029")
_STRING_OPENERS_8BIT: Final = frozenset("\x90\x98\x9d\x9e\x9f")
_STRING_OPENERS_7BIT: Final = frozenset("PX]^_")
_ESC, _CSI, _BEL, _ST, _NEWLINE = "\x1b", "\x9b", "\x07", "\x9c", "\n"

MAX_SEQUENCE_CHARS: Final = 4096
"""An escape sequence longer than this has ended: an unclosed one must not swallow the answer."""


# What the state machine below does with whole sequences, in one pass at the speed of the regular
# expression engine: a text full of them must not hold up the process that cleans it. No repetition
# is possessive, which Python before 3.11.5 gets wrong; none needs to be, since what may follow
# each is of another class.
_ROOM: Final = MAX_SEQUENCE_CHARS - 8
_DROPPED = (
    r"[\x00-\x08\r\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x8f\x91-\x97\x99\x9a\x9c"
    rf"{_BIDI_CONTROLS}{_TAGS}]+"
)
_KEPT = rf"[^\x00-\x08\r\x0e-\x1f\x7f-\x84\x86-\x9f{_BIDI_CONTROLS}{_TAGS}]+"


def _whole_sequence(end: str) -> str:
    """Return the pattern of a sequence that has ended, or that what follows it breaks off.

    `end` stands for a text's end as one more thing that breaks a sequence off.
    """
    broken = rf"(?=[^ -~]{end})"
    return (
        rf"[\x1b\x9b]+(?=[\x1b\x9b]{end})"
        rf"|\x1b(?:[ -/]{{1,{_ROOM}}}[0-~]|[0-OQ-WYZ\\`-~]|[ -/]{{0,{_ROOM}}}{broken})"
        rf"|(?:\x1b\[|\x9b)[ -?]{{0,{_ROOM}}}(?:[@-~]|{broken})"
        rf"|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\n\x07\x1b\x9c]{{0,{_ROOM}}}"
        rf"(?:[\x07\x9c]|(?=[\n\x1b]{end}))"
    )


_settled_run: Final = re.compile(f"(?:{_KEPT}|{_DROPPED}|{_whole_sequence('')})+").match
_END_OF_RUN: Final = r"|\Z"
_drop_sequences: Final = re.compile(f"{_DROPPED}|{_whole_sequence(_END_OF_RUN)}").sub
_line_ends: Final = re.compile("[\x0b\x0c\x85\u2028\u2029]").sub
_surrogates: Final = re.compile("[\ud800-\udfff]").sub


class _State(Enum):
    TEXT = auto()
    ESCAPE = auto()
    INTERMEDIATE = auto()
    CONTROL_SEQUENCE = auto()
    STRING = auto()


_BODIES: Final = {
    _State.INTERMEDIATE: re.compile("[ -/]*"),
    _State.CONTROL_SEQUENCE: re.compile("[ -?]*"),
    _State.STRING: re.compile("[^\n\x07\x1b\x9c]*"),
}
"""What goes on being inside an unfinished sequence."""


class TextCleaner:
    """Cleans a text that arrives in pieces; cutting it elsewhere never changes the result.

    Nothing is held back: what belongs to an unfinished escape sequence is dropped as it comes, so
    every `decode` returns all the text there is so far.
    """

    __slots__ = ("_length", "_state")

    def __init__(self) -> None:
        self._state = _State.TEXT
        self._length = 0

    @property
    def in_sequence(self) -> bool:
        """Whether the text so far ends inside an escape sequence."""
        return self._state is not _State.TEXT

    def decode(self, chunk: str) -> str:
        """Return the clean text of the next piece."""
        if self._state is _State.TEXT and is_unsafe(chunk) is None:
            return chunk
        kept: list[str] = []
        at = 0
        while at < len(chunk):
            if self._state is _State.TEXT and (run := _settled_run(chunk, at)):
                text = _drop_sequences("", run[0])
                kept.append(_surrogates("\ufffd", _line_ends(_NEWLINE, text)))
                at = run.end()
            elif (after := self._skip_body(chunk, at)) > at:
                at = after
            else:
                kept.append(self._next(chunk[at]))
                at += 1
        return "".join(kept)

    def _skip_body(self, chunk: str, at: int) -> int:
        body = _BODIES.get(self._state)
        if body is None:
            return at
        found = body.match(chunk, at, at + MAX_SEQUENCE_CHARS - self._length)
        end = found.end() if found else at
        self._length += end - at
        return end

    def _next(self, char: str) -> str:
        if self._state is _State.TEXT:
            return self._text(char)
        self._length += 1
        if self._length > MAX_SEQUENCE_CHARS or char == _NEWLINE:
            self._state = _State.TEXT
            return self._text(char)
        if char == _ESC:
            self._enter(_State.ESCAPE)
        elif self._state is _State.STRING:
            if char in (_BEL, _ST):
                self._state = _State.TEXT
        elif self._state is _State.CONTROL_SEQUENCE:
            return self._control_sequence(char)
        else:
            return self._escape(char)
        return ""

    def _text(self, char: str) -> str:
        if char == _ESC:
            self._enter(_State.ESCAPE)
        elif char == _CSI:
            self._enter(_State.CONTROL_SEQUENCE)
        elif char in _STRING_OPENERS_8BIT:
            self._enter(_State.STRING)
        elif char in _LINE_ENDS:
            return _NEWLINE
        elif "\ud800" <= char <= "\udfff":
            return "\ufffd"
        elif is_unsafe(char) is None:
            return char
        return ""

    def _control_sequence(self, char: str) -> str:
        if " " <= char <= "?":
            return ""
        self._state = _State.TEXT
        return "" if "@" <= char <= "~" else self._text(char)

    def _escape(self, char: str) -> str:
        if self._state is _State.ESCAPE and char == "[":
            self._state = _State.CONTROL_SEQUENCE
        elif self._state is _State.ESCAPE and char in _STRING_OPENERS_7BIT:
            self._state = _State.STRING
        elif " " <= char <= "/":
            self._state = _State.INTERMEDIATE
        else:
            self._state = _State.TEXT
            return "" if "0" <= char <= "~" else self._text(char)
        return ""

    def _enter(self, state: _State) -> None:
        self._state = state
        self._length = 1


def clean(text: str) -> str:
    """Return `text` without anything that steers a terminal, hides or reorders characters."""
    if is_unsafe(text) is None:
        return text
    return TextCleaner().decode(text)


def clean_line(text: str, limit: int) -> str:
    """Return `text` cleaned, on one line, without outer blanks, of at most `limit` characters.

    For names, versions and messages of errors. Longer text ends in an ellipsis.
    """
    line = " ".join(clean(text[: limit * 8]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
