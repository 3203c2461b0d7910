"""What a "<" is the beginning of: a tag to be taken out, or text.

A decision is final: it is the same for every text that begins alike, so it does not matter how
the text was cut into pieces. Where more text is needed the answer is `WAIT`, for at most
`MAX_HELD` characters. What is then still undecided, and whatever has a known element's name but
not the form of a tag, becomes text with a space behind the "<": harmless in a browser, and nothing
that somebody wrote is lost ("a <b and c" reads "a < b and c").
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from idleclaw_server.html_elements import BEGINNINGS, KNOWN, RAW_TEXT, TOOL_CALL

MAX_HELD: Final = 4_096
"""Characters after a "<" within which a tag, or an element whose content goes too, must end."""
_MAX_BARE: Final = 64
"""The same for a tag without attributes, so that a comparison in prose is not held for long."""
_MAX_DECLARATION: Final = 256
"""The same for a "<!" that is no comment."""

# "<" that another "<" follows before it can be a tag: were the second one taken out, the first
# would meet what comes behind ("<scr<b>ipt>").
_DANGLING: Final = re.compile(r"<(?:!-?|/?([A-Za-z][\w-]*)?)(?=<)", re.ASCII)
_NAME: Final = re.compile(r"<(/?)([A-Za-z][\w-]*)", re.ASCII)
_COMMENT_ENDS: Final = ("-->", "--!>")
_ATTRIBUTES: Final = re.compile(
    r"""(?:[\s/]*[^\s"'<>/=&|;,(){}]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>][^\s<>]*))?)*[\s/]*"""
)
_OPEN_VALUE: Final = re.compile(r"""\s*=\s*(?:"[^"]*|'[^']*)?""")
_CLOSING: Final = {name: re.compile(rf"</(?i:{name})(?:[\s/][^>]*)?>") for name in RAW_TEXT}
_SPACES: Final = re.compile(r"\s*")
_CALL_OPENERS: Final = frozenset("{[<\"'`")


class Kind(Enum):
    """What is to be done with the text from a "<" to the end of a finding."""

    WAIT = auto()
    TEXT = auto()
    BREAK = auto()
    """Text that needs a space behind it, so that it is no tag."""
    DROP = auto()
    CALL = auto()
    """A tag to drop, behind which a tool call begins."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A decision about `text[at:end]`; `name` is the element of what is dropped."""

    kind: Kind
    end: int
    name: str = ""


def read_bracket(text: str, at: int, *, final: bool) -> Finding:
    """Decide what the "<" at `text[at]` begins; with `final` there is no more text to wait for."""
    end = min(len(text), at + MAX_HELD)
    second = _dangling(text, at, end)
    if second is not None and _dangling(text, second, end) is not None:
        return Finding(Kind.TEXT, second)
    found = _read(text, at if second is None else second, end, final=final)
    if found.kind is Kind.WAIT and not final and end < at + MAX_HELD:
        return found
    if found.kind is Kind.WAIT and (second is None or not final):
        return Finding(Kind.BREAK, at + 1)
    if second is None:
        return found
    if found.kind in (Kind.DROP, Kind.CALL):
        return Finding(Kind.BREAK, at + 1)
    return Finding(Kind.TEXT, second)


def _dangling(text: str, at: int, end: int) -> int | None:
    """Return where the "<" is that interrupts what the one at `text[at]` could begin, or None."""
    match = _DANGLING.match(text, at, end)
    if match is None or (match[1] and match[1].lower() not in BEGINNINGS):
        return None
    return match.end()


def _read(text: str, at: int, end: int, *, final: bool) -> Finding:
    wait = Finding(Kind.WAIT, at)
    if at + 1 == end:
        return wait
    if text[at + 1] == "?":
        return Finding(Kind.BREAK, at + 1)
    if text[at + 1] == "!":
        return _declaration(text, at, end)
    match = _NAME.match(text, at, end)
    if match is None:
        return wait if text[at + 1 : end] == "/" else Finding(Kind.TEXT, at + 1)
    name = match[2].lower()
    if match.end() == end:
        return wait if name in BEGINNINGS else Finding(Kind.TEXT, end)
    if name not in KNOWN or text[match.end()] not in " \t\n/>":
        return Finding(Kind.TEXT, match.end())
    tag = _tag_end(text, match.end(), end)
    if tag is None:
        return wait
    if tag == 0:
        return Finding(Kind.BREAK, at + 1)
    return Finding(Kind.DROP, tag, name) if match[1] else _opened(text, name, tag, end, final)


def _tag_end(text: str, at: int, end: int) -> int | None:
    """Return where the tag with its name before `at` ends, 0 if it is none, None to wait."""
    bare = min(end, at + _MAX_BARE)
    if text.find("=", at, bare) < 0 and text.find(">", at, bare) < 0 and bare == at + _MAX_BARE:
        return 0
    match = _ATTRIBUTES.match(text, at, end)
    assert match is not None
    if match.end() == end:
        return None
    if text[match.end()] == ">":
        return match.end() + 1
    return None if _OPEN_VALUE.fullmatch(text, match.end(), end) else 0


def _opened(text: str, name: str, tag: int, end: int, final: bool) -> Finding:
    """Decide how much goes with an opening tag that ends at `tag`.

    A script that does not close in time is text without its tag: a remark about the script tag in
    an answer's prose must not swallow the rest of the answer.
    """
    if name in RAW_TEXT:
        closing = _CLOSING[name].search(text, tag, end)
        if closing is not None:
            return Finding(Kind.DROP, closing.end(), name)
        waits = not final and end == len(text)
        return Finding(Kind.WAIT, tag) if waits else Finding(Kind.DROP, tag, name)
    if name == TOOL_CALL:
        spaces = _SPACES.match(text, tag, end)
        assert spaces is not None
        if spaces.end() < end:
            begins = text[spaces.end()] in _CALL_OPENERS
            return Finding(Kind.CALL if begins else Kind.DROP, tag, name)
        if not final and end == len(text):
            return Finding(Kind.WAIT, tag)
    return Finding(Kind.DROP, tag, name)


def _declaration(text: str, at: int, end: int) -> Finding:
    """Decide about a comment or another "<!"."""
    begun = text[at : min(end, at + 4)]
    if begun == "<!--":
        found = [(text.find(closing, at + 2, end), len(closing)) for closing in _COMMENT_ENDS]
        ends = [start + length for start, length in found if start >= 0]
        return Finding(Kind.DROP, min(ends), "!") if ends else Finding(Kind.WAIT, at)
    if "<!--".startswith(begun):
        return Finding(Kind.WAIT, at)
    if not (begun[2].isalpha() or begun[2] == "["):
        return Finding(Kind.TEXT, at + 1)
    closing = text.find(">", at, min(end, at + _MAX_DECLARATION))
    if closing >= 0:
        return Finding(Kind.DROP, closing + 1, "!")
    return Finding(Kind.BREAK if end - at >= _MAX_DECLARATION else Kind.WAIT, at + 1)
