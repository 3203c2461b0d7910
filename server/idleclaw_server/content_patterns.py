"""An operator's own patterns: what may not be asked, and what is not delivered.

Patterns are those of the `regex` library, without regard to case. A search is given up after a
time limit, which the library keeps even inside one match: a pattern that some text makes slow
counts as found there. So nobody passes by making it slow, and nobody's text holds the router.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import regex

from idleclaw_server.answer_filter import AnswerFilter

REPLACEMENT: Final = "[content filtered]"
MAX_PATTERNS: Final = 100
MAX_PATTERN_CHARS: Final = 500
MAX_HELD: Final = 1_000
"""Characters that a match in an answer may have; what is longer is not found."""

_QUESTION_SECONDS: Final = 0.2
_ANSWER_SECONDS: Final = 0.02
_CONTEXT_CHARS: Final = 64
"""Characters around a match that a pattern can look at."""

_SLICE_CHARS: Final = 256

Pattern = regex.Pattern[str]


def compiled(patterns: Sequence[str]) -> Pattern | None:
    """Return one pattern that finds what any of them finds, None where there are none.

    Raises:
        ValueError: one is wrong, too long or found in everything, or there are too many; the
            message says which and why.
    """
    if len(patterns) > MAX_PATTERNS:
        raise ValueError(f"at most {MAX_PATTERNS} patterns are allowed")
    for number, text in enumerate(patterns, 1):
        _check(number, text)
    # Groups are numbered anew in each branch, so that references to them keep their meaning.
    return _compile(f"(?|{'|'.join(patterns)})") if patterns else None


def _check(number: int, text: str) -> None:
    if len(text) > MAX_PATTERN_CHARS:
        raise ValueError(f"pattern {number} has more than {MAX_PATTERN_CHARS} characters")
    try:
        pattern = _compile(text)
        _compile(f"(?|x|{text})")
    except regex.error as error:
        raise ValueError(f"pattern {number} is wrong: {error}") from None
    if pattern.search("", timeout=_QUESTION_SECONDS):
        raise ValueError(f"pattern {number} is found in every text")


def _compile(text: str) -> Pattern:
    return regex.compile(text, regex.IGNORECASE)


def found_in(pattern: Pattern, texts: Iterable[str]) -> bool:
    """Whether the pattern is found in one of the texts, or took more than 0.2 s in one.

    The search lets other threads run, so it belongs in one of its own.
    """
    try:
        return any(
            pattern.search(text, concurrent=True, timeout=_QUESTION_SECONDS) for text in texts
        )
    except TimeoutError:
        return True


class Screen:
    """Replaces what the patterns find in a text that arrives in pieces.

    Held back is what may become a match, at most 1,000 characters. After a search that took more
    than 0.02 s the rest of the text is replaced as a whole.
    """

    __slots__ = ("_closed", "_context", "_held", "_pattern")

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._context = ""
        self._held = ""
        self._closed = False

    def decode(self, chunk: str) -> str:
        """Return the text that no match can begin in any more."""
        slices = range(0, len(chunk), _SLICE_CHARS)
        return "".join(
            piece
            for at in slices
            for piece in self._advance(chunk[at : at + _SLICE_CHARS], final=False)
        )

    def flush(self) -> str:
        """Return the rest; the text is over."""
        return "".join(self._advance("", final=True))

    def _advance(self, chunk: str, *, final: bool) -> Iterator[str]:
        if self._closed:
            return
        text, self._held = self._held + chunk, ""
        try:
            while text:
                start, end = self._next_match(text, final=final)
                yield self._pass(text[:start])
                if end is None:
                    self._held = text[start:]
                    return
                if end > start:
                    yield self._pass(REPLACEMENT)
                text = text[end:]
        except TimeoutError:
            self._closed = True
            yield REPLACEMENT

    def _pass(self, text: str) -> str:
        if text:
            self._context = (self._context + text)[-_CONTEXT_CHARS:]
        return text

    def _next_match(self, text: str, *, final: bool) -> tuple[int, int | None]:
        """Return where the first match starts and ends, or (where to hold from, None)."""
        before = len(self._context)
        whole = self._context + text
        at = before
        while True:
            match = self._pattern.search(whole, at, partial=not final, timeout=_ANSWER_SECONDS)
            if match is None or match.start() == len(whole):
                return len(text), len(text)
            start, end = match.start(), match.end()
            decided = final or (not match.partial and end + _CONTEXT_CHARS <= len(whole))
            if not decided and len(whole) - start < MAX_HELD:
                return start - before, None
            if not match.partial and start < end <= start + MAX_HELD:
                return start - before, end - before
            at = start + 1


class ScreenedAnswer:
    """An `AnswerFilter` whose text goes through a `Screen` as well."""

    __slots__ = ("_filter", "_screen")

    def __init__(self, pattern: Pattern) -> None:
        self._filter = AnswerFilter()
        self._screen = Screen(pattern)

    @property
    def calls(self) -> list[str]:
        """See `AnswerFilter`."""
        return self._filter.calls

    def decode(self, chunk: str) -> str:
        """Return the clean text of the next piece that is certain so far."""
        return self._screen.decode(self._filter.decode(chunk))

    def flush(self) -> str:
        """Return what was held back; the text is over."""
        return self._screen.decode(self._filter.flush()) + self._screen.flush()
