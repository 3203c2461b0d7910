"""Bounds on what a router's answers may cost in memory and time."""

import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import httpx

MAX_EVENT_BYTES: Final = 1 << 20
MAX_ANSWER_BYTES: Final = 64 << 20
MAX_ANSWER_SECONDS: Final = 3600.0

_TAIL_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class EventBounds:
    """What a stream may hold in one event (comments before it included), in all, and last."""

    event_bytes: float
    total_bytes: float
    seconds: float


ANSWER: Final = EventBounds(MAX_EVENT_BYTES, MAX_ANSWER_BYTES, MAX_ANSWER_SECONDS)
ENDLESS: Final = EventBounds(event_bytes=4 << 20, total_bytes=math.inf, seconds=math.inf)


class BoundExceeded(Exception):
    """A router sent more than it may; whoever reads turns this into words."""


class BoundedEvents(httpx.AsyncByteStream):
    """A response's event stream that is over when it grows too much.

    `BoundExceeded` is raised once an event passes its bound without its empty line, or the whole
    its own: a line without an end, or comments for ever, would otherwise be read for ever.
    """

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        clock: Callable[[], float],
        bounds: EventBounds = ANSWER,
    ) -> None:
        self._stream = stream
        self._chunks = aiter(stream)
        self._clock = clock
        self._bounds = bounds
        self._deadline = clock() + bounds.seconds
        self._total = 0
        self._event = 0
        self._tail = b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes of the wrapped stream."""
        chunk = await anext(self._chunks)
        self._count(chunk)
        return chunk

    async def aclose(self) -> None:
        """Close the wrapped stream, and with it the connection where the answer is not over."""
        await self._stream.aclose()

    def _count(self, chunk: bytes) -> None:
        self._total += len(chunk)
        joined = self._tail + chunk
        self._tail = joined[-_TAIL_BYTES:]
        end = max(joined.rfind(empty_line) for empty_line in (b"\n\n", b"\n\r\n", b"\r\r"))
        self._event = len(joined) - end if end >= 0 else self._event + len(chunk)
        if self._event > self._bounds.event_bytes or self._total > self._bounds.total_bytes:
            raise BoundExceeded
        if self._clock() > self._deadline:
            raise BoundExceeded


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Return the whole body of an open response.

    Raises `BoundExceeded` above `limit` bytes, or where the body is compressed, which was not
    asked for and could unfold to any size.
    """
    refuse_compression(response)
    parts, length = [], 0
    async for part in response.aiter_raw():
        length += len(part)
        if length > limit:
            raise BoundExceeded
        parts.append(part)
    return b"".join(parts)


def refuse_compression(response: httpx.Response) -> None:
    """Raise `BoundExceeded` where the body is compressed."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise BoundExceeded
