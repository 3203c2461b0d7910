"""From the events of `POST /api/chat` to what a consumer learns, for both kinds of router.

IdleClaw's router ends a stream with an event that has a `finish_reason`. The original never says
why it ends; its errors are text, `\\n\\n[Error: <text>]`, in an event of their own directly before
`[DONE]`. So text of that form is held back until the next event tells what it was.
"""

import math
import re
from typing import Final

from pydantic import ValidationError
from pydantic_core import from_json

from idleclaw_protocol import limits
from idleclaw_protocol.chat import (
    DONE,
    ChatEvent,
    Delta,
    EventError,
    FinishReason,
    Timings,
    Usage,
)
from idleclaw_protocol.text_safety import TextCleaner, clean_line
from idleclaw_tui.router.chat_updates import (
    ChatUpdate,
    Finished,
    TextPiece,
    ThinkingPiece,
    ToolProgress,
    Waiting,
)

MAX_EVENT_CHARS: Final = 1 << 20
"""The data of one event; with more of it the answer ends in an error."""

BROKEN_OFF: Final = "The connection to the router broke before the answer was complete. Ask again."
NOT_UNDERSTOOD: Final = "The router sent something that is no part of an answer. Ask again."
TOO_LONG: Final = "The router sent more at once than an answer can hold. Ask again."
UNEXPLAINED: Final = "The answer ended early and the router did not say why. Ask again."

_ORIGINAL_ERROR: Final = re.compile(r"\n\n\[Error: (.*)\]", re.DOTALL)
_ORIGINAL_NODE_LOST: Final = re.compile(r"Node .* disconnected", re.DOTALL)
_ORIGINAL_ERRORS: Final = {
    "request timed out": "The node stopped answering. Ask again to get another one.",
    "ollama_unavailable": "The node's Ollama does not answer. Ask again to get another one.",
    "ollama_error": "The node's Ollama failed. Ask again, or choose another model.",
    "invalid_request": "The node refused the request. Make it shorter, or choose another model.",
}
_NODE_LOST: Final = "The node left before the answer was complete. Ask again to get another one."

_EXTENSIONS: Final = frozenset({"state", "queue", "usage", "timings", "error", "notice"})
_MAX_POSITION: Final = 1_000_000
_MAX_SECONDS: Final = 1e9


class ChatStream:
    """Decodes one answer: feed each event's data to `decode`, then call `flush` at the end.

    Both return the updates that are certain so far; exactly one `Finished` comes, as the last.
    What is fed after it is ignored. Held back is at most one event.
    """

    def __init__(self) -> None:
        self._content = TextCleaner()
        self._thinking = TextCleaner()
        self._held: str | None = None
        self._usage: Usage | None = None
        self._timings: Timings | None = None
        self.finished = False

    def decode(self, data: str) -> list[ChatUpdate]:
        """Return what the next event's data tell."""
        if self.finished:
            return []
        if data.strip() == DONE:
            return self._end_without_reason()
        if len(data) > MAX_EVENT_CHARS:
            return self.fail(TOO_LONG)
        event = _read_event(data)
        return self.fail(NOT_UNDERSTOOD) if event is None else self._event(event)

    def flush(self, error: str = BROKEN_OFF) -> list[ChatUpdate]:
        """Return what is left when no more events come; `error` is what an open answer died of."""
        if self.finished:
            return []
        return self.fail(error) if self._held is None else self._end_without_reason()

    def fail(self, error: str) -> list[ChatUpdate]:
        """End the answer with the sentence `error`, after the text that was held back."""
        return [*self._release(), self._finish("error", error)]

    def _event(self, event: ChatEvent) -> list[ChatUpdate]:
        choice = event.choices[0]
        self._usage = _believable_usage(event.usage) or self._usage
        self._timings = _believable_timings(event.timings) or self._timings
        if choice.finish_reason == "error" or event.error is not None:
            return self._error(event.error, choice.delta.content)
        # Where the router cut the answer short, the text beside the notice only repeats it.
        updates = self._delta(Delta() if event.notice else choice.delta)
        if choice.finish_reason is not None:
            return [*updates, *self._release(), self._finish(choice.finish_reason)]
        if not choice.delta.content:
            updates += _notices(event)
        return updates

    def _error(self, error: EventError | None, repeated: str | None) -> list[ChatUpdate]:
        if error is not None and self._held is not None and error.message in self._held:
            self._held = None
        return [*self._release(), self._finish("error", _error_sentence(error, repeated))]

    def _delta(self, delta: Delta) -> list[ChatUpdate]:
        if not delta.content and delta.tool_call is None:
            return []
        released = self._release()
        if delta.tool_call is not None:
            name = clean_line(delta.tool_call.name, limits.MAX_DETAIL_CHARS)
            return [*released, ToolProgress(name, delta.tool_call.status), *self._text(delta)]
        if not delta.reasoning and _ORIGINAL_ERROR.fullmatch(delta.content or ""):
            self._held = delta.content
            return released
        return [*released, *self._text(delta)]

    def _text(self, delta: Delta) -> list[ChatUpdate]:
        if delta.reasoning:
            thought = self._thinking.decode(delta.content or "")
            return [ThinkingPiece(thought)] if thought else []
        text = self._content.decode(delta.content or "")
        return [TextPiece(text)] if text else []

    def _release(self) -> list[ChatUpdate]:
        held, self._held = self._held, None
        return [] if held is None else self._text(Delta(content=held))

    def _end_without_reason(self) -> list[ChatUpdate]:
        if self._held is None:
            return [self._finish(None)]
        error = _error_sentence(None, self._held)
        self._held = None
        return [self._finish("error", error)]

    def _finish(self, reason: FinishReason | None, error: str | None = None) -> Finished:
        self.finished = True
        return Finished(reason, usage=self._usage, timings=self._timings, error=error)


def _read_event(data: str) -> ChatEvent | None:
    """Return the event, or None if it is none.

    An extension of a form that is not known here must not cost the text beside it.
    """
    try:
        return ChatEvent.model_validate_json(data)
    except ValidationError as error:
        problems = {found["loc"][0] if found["loc"] else None for found in error.errors()}
    if not problems <= _EXTENSIONS:
        return None
    parts = from_json(data)
    return ChatEvent.model_validate({key: parts[key] for key in parts.keys() - problems})


def _notices(event: ChatEvent) -> list[ChatUpdate]:
    if event.queue is None:
        return [] if event.state is None else [Waiting(event.state)]
    position, eta = event.queue.position, event.queue.eta_seconds
    return [
        Waiting(
            event.state or "queued",
            position if 1 <= position <= _MAX_POSITION else None,
            eta if eta is not None and _is_duration(eta) else None,
        )
    ]


def _error_sentence(error: EventError | None, text: str | None) -> str:
    if error is not None:
        return clean_line(error.message, limits.MAX_ERROR_CHARS) or UNEXPLAINED
    match = _ORIGINAL_ERROR.fullmatch(text or "")
    reason = match[1] if match else text or ""
    if _ORIGINAL_NODE_LOST.fullmatch(reason):
        return _NODE_LOST
    reason = clean_line(reason, limits.MAX_ERROR_CHARS)
    if not reason:
        return UNEXPLAINED
    return _ORIGINAL_ERRORS.get(reason, f"The router ended the answer: {reason}. Ask again.")


def _believable_usage(usage: Usage | None) -> Usage | None:
    if usage is None:
        return None
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    return usage if all(0 <= count <= limits.MAX_COUNT for count in counts) else None


def _believable_timings(timings: Timings | None) -> Timings | None:
    if timings is None:
        return None
    given = (timings.queued, timings.total, timings.first_token, timings.tokens_per_second)
    return timings if all(value is None or _is_duration(value) for value in given) else None


def _is_duration(seconds: float) -> bool:
    return math.isfinite(seconds) and 0 <= seconds <= _MAX_SECONDS
