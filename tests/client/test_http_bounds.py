"""Bounds on event streams, whatever way they are cut into chunks."""

from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.router.http_bounds import (
    MAX_ANSWER_BYTES,
    MAX_ANSWER_SECONDS,
    MAX_EVENT_BYTES,
    BoundedEvents,
    BoundExceeded,
)


class Chunks(httpx.AsyncByteStream):
    """A stream of given chunks that knows whether it was closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    async def aclose(self) -> None:
        self.closed = True


async def total(chunks: Iterable[bytes], times: Iterable[float] = ()) -> int:
    """Return how many bytes get through."""
    clock = iter(times)
    return sum(
        [len(chunk) async for chunk in BoundedEvents(Chunks(chunks), lambda: next(clock, 0))]
    )


BIG = b"x" * (MAX_EVENT_BYTES // 2)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
async def test_large_events_pass_one_by_one(end: bytes) -> None:
    assert await total([BIG, end, BIG, end[:1], end[1:], BIG + end, BIG]) > 4 * len(BIG)


@pytest.mark.parametrize("separator", [b"", b"\n", b"\r\n", b"\r"])
async def test_an_event_without_an_end_is_stopped(separator: bytes) -> None:
    with pytest.raises(BoundExceeded):
        await total([BIG, separator, BIG, b"x"])


async def test_the_whole_answer_is_bounded() -> None:
    event = b"x" * 65_534 + b"\n\n"
    assert await total([event] * (MAX_ANSWER_BYTES // len(event))) == MAX_ANSWER_BYTES
    with pytest.raises(BoundExceeded):
        await total([event] * (MAX_ANSWER_BYTES // len(event) + 1))


async def test_comments_for_ever_are_stopped() -> None:
    ping = b": ping\n\n"
    assert await total([ping, ping], [5.0, 5.0 + MAX_ANSWER_SECONDS]) == 2 * len(ping)
    with pytest.raises(BoundExceeded):
        await total([ping, ping], [5.0, 5.0, 5.1 + MAX_ANSWER_SECONDS])


async def test_closing_reaches_the_connection() -> None:
    inner = Chunks([])
    await BoundedEvents(inner, lambda: 0).aclose()
    assert inner.closed


@given(st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"data: x", b"\n\n"]), max_size=30))
def test_the_size_of_the_open_event_does_not_depend_on_the_cuts(parts: list[bytes]) -> None:
    whole, cut = BoundedEvents(Chunks([]), lambda: 0), BoundedEvents(Chunks([]), lambda: 0)
    whole._count(b"".join(parts))
    for byte in b"".join(parts):
        cut._count(bytes([byte]))
    assert cut._event == whole._event
