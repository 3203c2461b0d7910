"""A request as the core knows it, and the two sides it stands between.

Nothing here knows HTTP or WebSockets: another API over the same core brings another `AnswerSink`,
a node on another router another `NodeLink`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, Protocol

from idleclaw_protocol.chat import EventError, FinishReason, Timings, Usage
from idleclaw_protocol.frames import ToolCall
from idleclaw_protocol.limits import MAX_MESSAGES
from idleclaw_server.prompt import NO_PROMPT, PromptPolicy, system_text, with_system
from idleclaw_server.tool_specs import ToolMode, ToolSet

NO_TOOLS: Final = ToolSet()
WaitState = Literal["queued", "loading", "waiting"]


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """What is asked of a model.

    `messages` are Ollama's (any role, tool calls and results included), `client` is the key by
    which the queue is fair, `options` are sampling options, `response_format` is "json" or a JSON
    schema. `tools` are the caller's own, whose calls it gets; `server_tools` those that the router
    runs itself. `prompt` is what the operator adds for the node, `today` the date in it.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    client: str
    think: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    response_format: str | Mapping[str, Any] | None = None
    prompt: PromptPolicy = NO_PROMPT
    today: date | None = None
    server_tools: ToolSet = NO_TOOLS

    def ollama_params(
        self,
        *,
        thinks: bool,
        tool_mode: ToolMode | None = None,
        later: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """Return the body of Ollama's `POST /api/chat` for a node whose model thinks or not.

        `tool_mode` is how the router's tools are offered, `later` what their rounds have added to
        the conversation; the oldest messages make room for it. `keep_alive` is left out: how long
        a model stays loaded is its owner's business.
        """
        think = self.think and thinks
        described = (self.server_tools.prompt,) if tool_mode == "tags" else ()
        system = system_text(self.prompt, self.today, thinks=think, extra=described)
        room = MAX_MESSAGES - len(later) - bool(system)
        params: dict[str, Any] = {
            "model": self.model,
            "messages": with_system(system, (*self.messages[-room:], *later)),
            "stream": True,
            "think": think,
        }
        tools = self.server_tools.definitions if tool_mode == "native" else self.tools
        if tools:
            params["tools"] = tools
        if self.options:
            params["options"] = self.options
        if self.response_format is not None:
            params["format"] = self.response_format
        return params


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended; `error` is set exactly where `reason` is "error".

    `notice` is a sentence for the consumer about an answer that the router cut short.
    """

    reason: FinishReason
    timings: Timings
    usage: Usage | None = None
    error: EventError | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    notice: str | None = None


class AnswerText(Protocol):
    """What a text of an answer passes on its way; see `AnswerFilter`."""

    @property
    def calls(self) -> Sequence[str]:
        """What stood in tool-call tags."""

    def decode(self, chunk: str) -> str:
        """Return what may be delivered so far."""

    def flush(self) -> str:
        """Return the rest; the text is over."""


class AnswerSink(Protocol):
    """Where an answer goes: one consumer, behind a buffer. No method waits or raises."""

    def content(self, text: str) -> int:
        """Queue clean text of the answer; return the bytes that now wait for the consumer."""

    def thinking(self, text: str) -> int:
        """Queue clean text of the model's thinking; return the bytes that now wait."""

    def waiting(self, state: WaitState, position: int | None, eta_seconds: float | None) -> None:
        """Tell why there is no token yet; `position` 1 is next, None outside the queue."""

    def tool_call(self, name: str, status: Literal["executing", "done"]) -> None:
        """Tell that the router begins or has ended to run a tool of its own."""

    def comment(self) -> None:
        """Break a silence with something that every reader ignores."""

    def end(self, ending: Ending) -> None:
        """Queue the end of the answer; nothing follows."""

    def abort(self) -> None:
        """Cut the consumer off without an end; what waits for it is dropped."""

    def stalled_seconds(self, now: float) -> float:
        """Return for how long the consumer has taken nothing although something waits."""


class NodeLink(Protocol):
    """The way to a node. No method waits or raises; a lost node is reported to the core."""

    def send(self, frame: bytes) -> None:
        """Queue a text frame (UTF-8)."""

    def close(self, code: int, reason: str) -> None:
        """Close in the background; frames queued before go out first where that is possible."""
