"""Cleaning of a stranger's text: what goes, what stays, and that chunk borders change nothing."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.text_safety import MAX_SEQUENCE_CHARS, TextCleaner, clean, clean_line

_SEEDS = (
    "\x1b[31m", "\x1b]0;t\x07", "\x1b]8;;u\x1b\\", "\x1bP", "\x9b1m", "\x9d52;c;", "\x9c", "\x1b(B",
    "\x1b", "\x07", "\n", "\r\n", "\t", "\x00", "\x7f", "\x85", "\u2028", "\u202e", "\u2066",
    "\U000e0041", "\ud800", "a", "é", "😀", "\\", "[", "m", "]", "c", "\x18", "\x1a",
)  # fmt: skip
_TEXT = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(codec=None, exclude_categories=())),
    st.lists(st.sampled_from(_SEEDS)).map("".join),
)
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


@given(_TEXT)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    """A7: no C0 but tab and newline, no ESC, DEL, C1, bidi control, tag character, surrogate."""
    cleaned = clean(text)
    assert _FORBIDDEN.search(cleaned) is None
    for char in cleaned:
        assert char in "\t\n" or unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")


@given(st.lists(_TEXT, max_size=6))
def test_cutting_it_elsewhere_changes_nothing(pieces: list[str]) -> None:
    """A7: a sequence split over chunks is found like a whole one."""
    whole = "".join(pieces)
    cleaner = TextCleaner()
    assert "".join(map(cleaner.decode, pieces)) == clean(whole)
    by_char = TextCleaner()
    assert "".join(map(by_char.decode, whole)) == clean(whole)
    assert by_char.in_sequence == cleaner.in_sequence


@given(_TEXT)
def test_clean_text_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))))
def test_ordinary_text_of_any_language_is_kept(text: str) -> None:
    assert clean(text) == text


@given(
    st.sampled_from(["\x1b]", "\x1b[", "\x1bP", "\x9d", "\x1b", "\x1b ", "\x98"]), st.text("abc")
)
def test_an_unclosed_sequence_swallows_at_most_its_bound(opener: str, after: str) -> None:
    """A7: a node cannot hide the rest of an answer behind one open sequence."""
    filler = "0" * MAX_SEQUENCE_CHARS
    tail = "THE END"
    assert clean(opener + filler + after + tail).endswith(tail)


@given(st.integers(min_value=1, max_value=10))
def test_the_bound_counts_from_the_last_opener(every: int) -> None:
    opened_again = "".join("\x1b" + "0" * every for _ in range(2 * MAX_SEQUENCE_CHARS))
    strings = "\x1b]" + "\x1b]x" * 2 * MAX_SEQUENCE_CHARS + "y" * MAX_SEQUENCE_CHARS + "END"
    assert clean(strings).endswith("END")
    assert clean(opened_again + "0" * MAX_SEQUENCE_CHARS + "END").endswith("END")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["\x1b]", "\x1b[", "\x1b ", "\x1bP", "\x9b", "\x9d", "\x1b", "m", "\x07", "\n"]
            ),
            st.sampled_from(["", "0", " ", "a", "\x80", "é"]),
            st.integers(min_value=0, max_value=9).map(lambda short: MAX_SEQUENCE_CHARS - short),
        ),
        max_size=5,
    ),
    st.integers(min_value=1, max_value=5000),
)
def test_long_sequences_end_alike_however_they_are_cut(
    parts: list[tuple[str, str, int]], cut: int
) -> None:
    """A7: the quick way through whole sequences and the slow one through pieces agree."""
    whole = "".join(opener + filler * count for opener, filler, count in parts)
    cleaner = TextCleaner()
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert "".join(map(cleaner.decode, pieces)) == clean(whole)
    by_char = TextCleaner()
    assert "".join(map(by_char.decode, whole)) == clean(whole)


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("a\x1b[1;31mb\x1b[0mc", "abc"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"),
        ("a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1bPq#0\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1bXsos\x1b\\e", "abcde"),
        ("a\x9b31mb\x9d0;t\x9cc", "abc"),
        ("a\x1bcb\x1b(Bc\x1b#8d", "abcd"),
        ("a\x1b[31\nb", "a\nb"),
        ("a\rb\x08c\x07d\x00e\x7ff", "abcdef"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("user\u202egnp.exe\u2069", "usergnp.exe"),
        ("a\U000e0041\U000e007fb", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("tab\tnew\nline", "tab\tnew\nline"),
        ("café 日本語 😀👩\u200d🚀", "café 日本語 😀👩\u200d🚀"),
    ],
)
def test_known_attacks(dirty: str, expected: str) -> None:
    """A7: titles, clipboards, links, colours, overwriting, reordering, hidden tags."""
    assert clean(dirty) == expected


@given(_TEXT, st.integers(min_value=2, max_value=60))
def test_a_line_is_one_short_clean_line(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line
    assert line == line.strip()
    assert clean(line) == line
    assert len(line.splitlines()) <= 1


def test_a_long_line_says_that_it_was_cut() -> None:
    assert clean_line("x" * 100, 10) == "x" * 9 + "…"
    assert clean_line("  a \n\t b  ", 10) == "a b"
