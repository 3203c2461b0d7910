"""A chunk with a long text says the same in parts."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_server.chunk_reading import MAX_PART_CHARS, parts, read_chunk

long_text = st.text(max_size=3).map(lambda text: text * MAX_PART_CHARS)


@given(long_text, long_text | st.none(), st.booleans())
def test_parts_are_short_and_say_the_same(content: str, thinking: str | None, done: bool) -> None:
    call = {"function": {"name": "f", "arguments": {}}}
    message = {"content": content, "thinking": thinking, "tool_calls": [call]}
    whole = {"message": message, "done": done, "eval_count": 7}
    *before, last = pieces = [read_chunk(part) for part in parts(whole)]
    assert "".join(piece.message.content for piece in pieces) == content
    assert "".join(piece.message.thinking or "" for piece in pieces) == (thinking or "")
    for piece in pieces:
        assert max(len(piece.message.content), len(piece.message.thinking or "")) <= MAX_PART_CHARS
    assert (last.done, last.eval_count, last.message.tool_calls) == (
        *(done, 7),
        read_chunk(whole).message.tool_calls,
    )
    assert not any(piece.done or piece.message.tool_calls for piece in before)


@given(st.sampled_from([None, [], {"message": 1}, {"message": {"content": 1, "thinking": "x"}}]))
def test_what_is_no_chunk_is_left_to_who_reads_it(chunk: object) -> None:
    assert parts(chunk) == [chunk]
