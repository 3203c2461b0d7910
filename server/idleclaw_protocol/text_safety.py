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


class _State(Enum):
    TEXT = auto()
    ESCAPE = auto()
    INTERMEDIATE = auto()
    CONTROL_SEQUENCE = auto()
    STRING = auto()


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
        return "".join([kept for kept in map(self._next, chunk) if kept])

    def _next(self, char: str) -> str:
        if self._state is _State.TEXT:
            return self._text(char)
        self._length += 1
        if self._length > MAX_SEQUENCE_CHARS or char == _NEWLINE:
            self._state = _State.TEXT
            return self._text(char)
        if char == _ESC:
            self._enter(_State.ESCAPE, keep_length=True)
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
            self._enter(_State.CONTROL_SEQUENCE, keep_length=True)
        elif self._state is _State.ESCAPE and char in _STRING_OPENERS_7BIT:
            self._enter(_State.STRING, keep_length=True)
        elif " " <= char <= "/":
            self._enter(_State.INTERMEDIATE, keep_length=True)
        else:
            self._state = _State.TEXT
            return "" if "0" <= char <= "~" else self._text(char)
        return ""

    def _enter(self, state: _State, *, keep_length: bool = False) -> None:
        self._state = state
        if not keep_length:
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
