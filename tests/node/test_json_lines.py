"""NDJSON is cut at LF alone, in bounded memory, wherever the network cut it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.ollama.json_lines import MAX_LINE_BYTES, JsonLines, LineTooLong


def split(pieces: list[bytes]) -> list[bytes]:
    lines = JsonLines()
    return [line for piece in pieces for line in lines.decode(piece)] + lines.flush()


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=8),
    st.lists(st.integers(min_value=0, max_value=200), max_size=8),
)
def test_any_cut_gives_the_same_lines(lines: list[bytes], cuts: list[int]) -> None:
    whole = b"\n".join(lines)
    ends = sorted({cut for cut in cuts if cut <= len(whole)})
    pieces = [whole[a:b] for a, b in zip([0, *ends], [*ends, len(whole)], strict=True)]
    assert split(pieces) == split([whole]) == [line for line in lines if line.strip()]


def test_other_line_ends_of_unicode_stay_in_the_line() -> None:
    line = '{"content":"a\u0085b\u2028c\u2029d\x0be\r"}'.encode()
    assert split([line + b"\n"]) == [line]


def test_a_line_of_the_largest_size_passes() -> None:
    assert split([b"x" * MAX_LINE_BYTES, b"\n"]) == [b"x" * MAX_LINE_BYTES]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_longer_one_is_refused_before_more_is_held(end: bytes) -> None:
    lines = JsonLines()
    lines.decode(b"x" * MAX_LINE_BYTES)
    with pytest.raises(LineTooLong):
        lines.decode(b"x" + end)
