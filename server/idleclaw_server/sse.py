"""An answer as server-sent events, behind a buffer that one consumer empties.

Specification: HTML Living Standard, section 9.2 "Server-sent events". All text that comes here is
clean, so the JSON holds none of the characters at which some readers end a line.
"""

from typing import Final, Literal

from pydantic_core import to_json

from idleclaw_protocol.chat import DONE, ChatEvent, Choice, Delta, QueuePlace, ToolCallProgress
from idleclaw_server.consumer_pipe import ConsumerPipe
from idleclaw_server.inference import Ending, WaitState

EVENT_STREAM: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
"""The headers of every stream of events; none of it is to be kept or held back on its way."""

_CONTENT_END: Final = b'},"index":0}]}\n\n'
_THINKING_END: Final = b',"reasoning":true},"index":0}]}\n\n'
_COMMENT: Final = b": the answer is on its way\n\n"
_DONE: Final = f"data: {DONE}\n\n".encode()


class SseAnswer:
    """The `AnswerSink` of `POST /api/chat`: turns what happens into events for a consumer."""

    __slots__ = ("_event_id", "_model", "_pipe", "_prefix")

    def __init__(self, event_id: str, model: str, pipe: ConsumerPipe) -> None:
        self._event_id = event_id
        self._model = model
        self._pipe = pipe
        head = {"id": event_id, "object": "chat.completion.chunk", "model": model}
        self._prefix = b"data: " + to_json(head)[:-1] + b',"choices":[{"delta":{"content":'

    def content(self, text: str) -> int:
        """See `AnswerSink.content`."""
        return self._pipe.push(self._prefix + to_json(text) + _CONTENT_END)

    def thinking(self, text: str) -> int:
        """See `AnswerSink.thinking`."""
        return self._pipe.push(self._prefix + to_json(text) + _THINKING_END)

    def waiting(self, state: WaitState, position: int | None, eta_seconds: float | None) -> None:
        """See `AnswerSink.waiting`."""
        queue = None
        if position is not None:
            queue = QueuePlace(position=position, eta_seconds=eta_seconds)
        event = ChatEvent(
            id=self._event_id, model=self._model, choices=(Choice(),), state=state, queue=queue
        )
        self._pipe.push(_encode(event))

    def tool_call(self, name: str, status: Literal["executing", "done"]) -> None:
        """See `AnswerSink.tool_call`."""
        delta = Delta(tool_call=ToolCallProgress(name=name, status=status))
        event = ChatEvent(id=self._event_id, model=self._model, choices=(Choice(delta=delta),))
        self._pipe.push(_encode(event))

    def comment(self) -> None:
        """See `AnswerSink.comment`."""
        self._pipe.push(_COMMENT)

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
        self._pipe.push(_encode(event) + _DONE)
        self._pipe.end()

    def abort(self) -> None:
        """See `AnswerSink.abort`."""
        self._pipe.abort()

    def stalled_seconds(self, now: float) -> float:
        """See `AnswerSink.stalled_seconds`."""
        return self._pipe.stalled_seconds(now)


def _encode(event: ChatEvent) -> bytes:
    return f"data: {event.model_dump_json(exclude_none=True)}\n\n".encode()
