"""An answer as server-sent events, behind a buffer that one consumer empties.

Specification: HTML Living Standard, section 9.2 "Server-sent events". All text that comes here is
clean, so the JSON holds none of the characters at which some readers end a line.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from pydantic_core import to_json

from idleclaw_protocol.chat import DONE, ChatEvent, Choice, Delta, QueuePlace
from idleclaw_server.inference import Ending, WaitState

_CONTENT_END: Final = b'},"index":0}]}\n\n'
_THINKING_END: Final = b',"reasoning":true},"index":0}]}\n\n'
_COMMENT: Final = b": the answer is on its way\n\n"
_DONE: Final = f"data: {DONE}\n\n".encode()


class SseAnswer:
    """The `AnswerSink` of `POST /api/chat`.

    The pieces wait in a list until the consumer's task takes them all at once. Its bound is kept
    by the core, which is told the size with every piece (`Policy.max_stream_bytes`).
    """

    __slots__ = (
        "_abort",
        "_clock",
        "_event_id",
        "_loop",
        "_model",
        "_parts",
        "_prefix",
        "_size",
        "_taken_at",
        "_waiter",
        "ended",
    )

    def __init__(
        self,
        event_id: str,
        model: str,
        loop: asyncio.AbstractEventLoop,
        abort: Callable[[], None],
    ) -> None:
        self._event_id = event_id
        self._model = model
        self._loop = loop
        self._abort = abort
        self._parts: list[bytes] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._taken_at: float | None = None
        self.ended = False
        head = {"id": event_id, "object": "chat.completion.chunk", "model": model}
        self._prefix = b"data: " + to_json(head)[:-1] + b',"choices":[{"delta":{"content":'

    def content(self, text: str) -> int:
        """See `AnswerSink.content`."""
        return self._push(self._prefix + to_json(text) + _CONTENT_END)

    def thinking(self, text: str) -> int:
        """See `AnswerSink.thinking`."""
        return self._push(self._prefix + to_json(text) + _THINKING_END)

    def waiting(self, state: WaitState, position: int | None, eta_seconds: float | None) -> None:
        """See `AnswerSink.waiting`."""
        queue = None
        if position is not None:
            queue = QueuePlace(position=position, eta_seconds=eta_seconds)
        event = ChatEvent(
            id=self._event_id, model=self._model, choices=(Choice(),), state=state, queue=queue
        )
        self._push(_encode(event))

    def comment(self) -> None:
        """See `AnswerSink.comment`."""
        self._push(_COMMENT)

    def end(self, ending: Ending) -> None:
        """See `AnswerSink.end`."""
        delta = Delta()
        if ending.error is not None:
            delta = Delta(content=f"\n\n[Error: {ending.error.message}]")
        elif ending.notice is not None:
            delta = Delta(content=f"\n\n[{ending.notice}]")
        event = ChatEvent(
            id=self._event_id,
            model=self._model,
            choices=(Choice(delta=delta, finish_reason=ending.reason),),
            usage=ending.usage,
            timings=ending.timings,
            error=ending.error,
            notice=ending.notice,
        )
        self.ended = True
        self._push(_encode(event) + _DONE)

    def abort(self) -> None:
        """See `AnswerSink.abort`."""
        self.ended = True
        self._parts.clear()
        self._abort()

    def stalled_seconds(self, now: float) -> float:
        """See `AnswerSink.stalled_seconds`."""
        return 0.0 if self._taken_at is None else now - self._taken_at

    async def take(self) -> bytes:
        """Wait for something to send and return all of it; b"" after the end.

        The consumer counts as stalled from the return of one `take` until the next call.
        """
        self._taken_at = None
        if not self._parts and not self.ended:
            self._waiter = self._loop.create_future()
            await self._waiter
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        self._taken_at = self._loop.time()
        return data

    def _push(self, data: bytes) -> int:
        self._parts.append(data)
        self._size += len(data)
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)
        return self._size


def _encode(event: ChatEvent) -> bytes:
    return f"data: {event.model_dump_json(exclude_none=True)}\n\n".encode()
