"""The chat that a consumer posts, and the events it gets back.

`POST /api/chat` answers with server-sent events: `data: <ChatEvent>` each, then `data: [DONE]`.
Everything beyond the original's `id, object, model, choices[0].delta` is an extension that old
consumers ignore.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from idleclaw_protocol import limits

DONE: Final = "[DONE]"

FinishReason = Literal["stop", "length", "tool_calls", "error"]
ErrorCode = Literal[
    "node_lost", "node_error", "timeout", "queue_timeout", "no_node", "overloaded", "shutting_down"
]


class ChatMessage(BaseModel):
    """One message of the history, of 1 to 10,000 code points."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=limits.MAX_MESSAGE_CHARS)]


class ChatBody(BaseModel):
    """The body of `POST /api/chat`. Unknown keys are ignored, as in the original."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: Annotated[str, Field(min_length=1, max_length=limits.MAX_MODEL_NAME_CHARS)]
    messages: Annotated[
        tuple[ChatMessage, ...],
        Field(min_length=1, max_length=limits.MAX_MESSAGES, fail_fast=True),
    ]
    think: bool = False

    @property
    def total_chars(self) -> int:
        """The code points of all messages, which the router limits to 100,000."""
        return sum(len(message.content) for message in self.messages)


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ToolCallProgress(_Event):
    """A tool that the router runs for the model."""

    name: str
    status: Literal["executing", "done"]


class Delta(_Event):
    """New text, thinking (`reasoning`) or the progress of a tool call; empty in pure notices."""

    content: str | None = None
    reasoning: bool | None = None
    tool_call: ToolCallProgress | None = None


class Choice(_Event):
    """The one choice of an event."""

    delta: Delta = Delta()
    index: int = 0
    finish_reason: FinishReason | None = None


class Usage(_Event):
    """Tokens as the node's Ollama counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Timings(_Event):
    """How long the parts of an answer took, in seconds, as the router saw them.

    `tokens_per_second` is Ollama's own count over its own generation time where it reports both.
    """

    queued: float = 0.0
    first_token: float | None = None
    total: float = 0.0
    tokens_per_second: float | None = None


class QueuePlace(_Event):
    """Where a waiting request stands; `position` 1 is next, no `eta_seconds` means unknown."""

    position: int
    eta_seconds: float | None = None


class EventError(_Event):
    """Why a stream ended with `finish_reason` "error"."""

    code: str
    message: str


class ChatEvent(_Event):
    """One server-sent event of an answer.

    `state` says what the wait before the first token is for. The event with a `finish_reason` is
    the last; its delta repeats `error.message` or `notice` as text for old consumers. `notice`
    says why the router cut an answer short.
    """

    id: str = ""
    object: str = "chat.completion.chunk"
    model: str = ""
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]
    state: Literal["queued", "loading", "waiting"] | None = None
    queue: QueuePlace | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    error: EventError | None = None
    notice: str | None = None
