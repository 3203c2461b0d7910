"""The text of an answer, on its way from a node to a consumer: no controls, no markup.

Taken out, outside code: tool-call tags with their content, script and style elements with theirs,
comments and the tags of known HTML elements. Text is held back only from a "<" that may begin one
of these, for at most `markup.MAX_HELD` characters; what happens then is told there. Behind the
first `MAX_BRACKETS` a space follows every "<", so that nothing can begin there.
"""

import re
from typing import Final

from idleclaw_protocol.limits import MAX_TOOL_CALLS
from idleclaw_protocol.text_safety import TextCleaner, unsafe_or
from idleclaw_server.code_regions import CodeRegions, Verdict
from idleclaw_server.markup import Kind, read_bracket

MAX_CALL_CHARS: Final = 20_000
"""Of a longer tool call nothing is kept."""

MAX_BRACKETS: Final = 1_500
"""Of "<" outside fenced code; each costs microseconds in which no other stream moves."""

_MAX_LAST_BRACKETS: Final = 64
"""The same for what an answer ends with where the first of them may yet begin something."""

_special: Final = unsafe_or("<`\\\n")
_MAX_INLINE_CODE: Final = 1_024
"""Characters from a "<" in inline code to its end; where it is further away this is no code."""
_crowd: Final = re.compile(r"<+(?=<<)").match
_may_open: Final = re.compile(r"<(?:[A-Za-z/!?<]|\Z)").match
_CALL_END: Final = re.compile(r"</(?i:tool_call)\s{0,8}>")
_MAX_CALL_END_CHARS: Final = len("</tool_call>") + 8


class AnswerFilter:
    """Cleans one text that arrives in pieces; cutting it elsewhere never changes the result.

    `decode` returns what is certain so far, `flush` the rest at the end. An answer's content, its
    thinking and each round of a tool conversation need a filter of their own.

    Attributes:
        calls: what stood in tool-call tags, at most 16 texts; an unclosed one comes with `flush`.
    """

    __slots__ = ("_brackets", "_call", "_cleaner", "_held", "_plain", "_regions", "calls")

    def __init__(self) -> None:
        self._cleaner = TextCleaner()
        self._regions = CodeRegions()
        self._held = ""
        self._plain = False
        self._brackets = 0
        self._call: _CallText | None = None
        self.calls: list[str] = []

    def decode(self, chunk: str) -> str:
        """Return the clean text of the next piece, without what may yet become markup."""
        if self._plain and _special(chunk) is None:
            return chunk
        return self._advance(self._cleaner.decode(chunk), final=False)

    def flush(self) -> str:
        """Return what was held back; the text is over. Many may end at once: this takes 1 ms."""
        self._brackets = max(self._brackets, MAX_BRACKETS - _MAX_LAST_BRACKETS)
        rest = self._advance("", final=True)
        if self._call is not None:
            self._end_call(self._call)
        return rest

    def _advance(self, new: str, *, final: bool) -> str:
        text, self._held = self._held + new, ""
        out: list[str] = []
        at = 0
        while at < len(text):
            if self._call is not None:
                at = self._skip_call(self._call, text, at)
                continue
            if self._brackets == MAX_BRACKETS:
                out.append(text[at:].replace("<", "< "))
                break
            bracket = text.find("<", at)
            if bracket != at:
                self._keep(text[at : bracket if bracket > 0 else len(text)], out)
                at = bracket if bracket > 0 else len(text)
                continue
            end = self._bracket(text, at, out, final=final)
            if end is None:
                self._held = text[at:]
                break
            at = end
            self._brackets += not self._regions.in_fence
        self._plain = (
            not self._held
            and self._call is None
            and self._regions.at_rest
            and not self._cleaner.in_sequence
        )
        return "".join(out)

    def _keep(self, text: str, out: list[str]) -> None:
        self._regions.follow(text)
        out.append(text)

    def _bracket(self, text: str, at: int, out: list[str], *, final: bool) -> int | None:
        """Handle the "<" at `text[at]`; return where to go on, or None to wait for more text."""
        self._regions.interrupt()
        if self._regions.in_fence:
            line_end = text.find("\n", at)
            self._keep(text[at : line_end if line_end > 0 else len(text)], out)
            return line_end if line_end > 0 else len(text)
        if not _may_open(text, at):
            self._keep("<", out)
            return at + 1
        crowd = _crowd(text, at)
        if crowd is not None:
            self._keep(crowd[0], out)
            return crowd.end()
        if self._regions.in_span:
            verdict, end = self._regions.span_end(text, at, at + _MAX_INLINE_CODE, final=final)
            if verdict is Verdict.CODE:
                self._keep(text[at:end], out)
            if verdict is not Verdict.PROSE:
                return end if verdict is Verdict.CODE else None
            self._regions.mistrust_span()
        found = read_bracket(text, at, final=final)
        if found.kind is Kind.WAIT:
            return None
        if found.kind is Kind.TEXT or found.kind is Kind.BREAK:
            self._keep(text[at : found.end], out)
        if found.kind is Kind.CALL:
            self._call = _CallText()
        if found.kind is Kind.BREAK or found.name == "br" or self._regions.needs_gap:
            self._keep(" ", out)
        return found.end

    def _skip_call(self, call: "_CallText", text: str, at: int) -> int:
        end = call.take(text[at:])
        if end is None:
            return len(text)
        self._end_call(call)
        return at + end

    def _end_call(self, call: "_CallText") -> None:
        self._call = None
        content = call.content()
        if content is not None and len(self.calls) < MAX_TOOL_CALLS:
            self.calls.append(content)


class _CallText:
    """What follows a tool-call tag, up to the closing tag if there is one."""

    __slots__ = ("_overlong", "_text")

    def __init__(self) -> None:
        self._text = ""
        self._overlong = False

    def take(self, piece: str) -> int | None:
        """Take a piece in; return how much of it belongs to the call, None if all of it."""
        before = len(self._text)
        text = self._text + piece
        end = _CALL_END.search(text, max(0, before - _MAX_CALL_END_CHARS))
        if end is not None:
            self._text = text[: end.start()]
            return end.end() - before
        if len(text) > MAX_CALL_CHARS + _MAX_CALL_END_CHARS:
            self._overlong = True
            text = text[-_MAX_CALL_END_CHARS:]
        self._text = text
        return None

    def content(self) -> str | None:
        """Return what stood between the tags, or None if that is too long for a call."""
        return None if self._overlong or len(self._text) > MAX_CALL_CHARS else self._text
