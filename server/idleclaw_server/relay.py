"""One request on its way through the router."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.inference import AnswerSink, AnswerText, InferenceRequest, WaitState
from idleclaw_server.policy import Policy

if TYPE_CHECKING:
    from idleclaw_protocol.frames import ToolCall
    from idleclaw_server.node import Node
    from idleclaw_server.tool_use import ToolUse

_USUAL_POLICY: Final = Policy()


class Phase(Enum):
    """Where a request stands; each one goes down this list, back only from RUNNING to WAITING."""

    WAITING = auto()
    RUNNING = auto()
    ENDED = auto()


class Relay:
    """The state of one request from its admission to its end. Times are the core's clock, in s.

    `progress` counts the chunks of the present attempt; the sweeper compares it with `seen`, so
    that no chunk costs a look at the clock. `spoke_at` is when the consumer last heard a notice or
    a comment: chunks do not count, they may hold nothing that is visible. `content_room` and
    `thinking_room` are the characters that the consumer may still get. One that `gives_way` asks
    one node alone, and ends as soon as that has anything else to do.
    """

    __slots__ = (
        "_new_text",
        "content",
        "content_room",
        "dispatched_at",
        "first_dispatch_at",
        "first_token_at",
        "first_token_deadline",
        "first_token_limit",
        "gives_way",
        "loading",
        "node",
        "notice",
        "phase",
        "progress",
        "request",
        "request_id",
        "seen",
        "seen_at",
        "sink",
        "spoke_at",
        "submitted_at",
        "thinking",
        "thinking_room",
        "tool_calls",
        "tool_use",
        "tried",
        "waiting_since",
    )

    def __init__(
        self,
        request: InferenceRequest,
        sink: AnswerSink,
        now: float,
        policy: Policy = _USUAL_POLICY,
        new_text: Callable[[], AnswerText] = AnswerFilter,
    ) -> None:
        self.request: Final = request
        self.sink: Final = sink
        self.submitted_at: Final = now
        self.phase = Phase.WAITING
        self.waiting_since = now
        self.node: Node | None = None
        self.request_id = ""
        self.tried: set[str] = set()
        self.first_dispatch_at: float | None = None
        self.dispatched_at = now
        self.first_token_deadline = self.first_token_limit = now
        self.first_token_at: float | None = None
        self.loading = False
        self.progress = 0
        self.seen = 0
        self.seen_at = now
        self.spoke_at = now
        self.notice: WaitState | int | None = None
        self._new_text = new_text
        self.content = new_text()
        self.thinking = new_text()
        self.content_room = policy.max_content_chars
        self.thinking_room = policy.max_thinking_chars
        self.tool_calls: list[ToolCall] = []
        self.tool_use: ToolUse | None = None
        self.gives_way = False

    def start_attempt(
        self, node: Node, request_id: str, now: float, *, budget: float, loading: bool
    ) -> None:
        """Bind the request to a node; all attempts together get twice the first one's budget."""
        self.loading = loading
        if self.first_dispatch_at is None:
            self.first_dispatch_at = now
            self.first_token_limit = now + 2 * budget
        self.first_token_deadline = min(now + budget, self.first_token_limit)
        self.phase = Phase.RUNNING
        self.node = node
        self.request_id = request_id
        self.tried.add(node.node_id)
        self._begin_text(now)

    def may_move(self, max_attempts: int, now: float) -> bool:
        """Whether another node may still take the request over: nobody has seen any of it."""
        return (
            not self.gives_way
            and self.first_token_at is None
            and (self.tool_use is None or not self.tool_use.rounds)
            and len(self.tried) < max_attempts
            and now < self.first_token_limit
        )

    def start_round(self, now: float, budget: float) -> None:
        """Begin anew at the same node, after the tools that the model has called for."""
        self.loading = False
        if self.first_token_at is None:
            self.first_token_deadline = now + budget
        self._begin_text(now)

    def _begin_text(self, now: float) -> None:
        self.dispatched_at = now
        self.seen_at = now
        self.progress = self.seen = 0
        self.content = self._new_text()
        self.thinking = self._new_text()
        self.tool_calls = []

    @property
    def calls_tools(self) -> bool:
        """Whether the request waits for a tool, and its node for the next round."""
        return self.tool_use is not None and self.tool_use.job is not None

    def release_held_text(self) -> None:
        """Give the consumer what the filters hold back; nothing comes behind it."""
        thinking = self.thinking.flush()[: max(0, self.thinking_room)]
        if thinking:
            self.sink.thinking(thinking)
        content = self.content.flush()[: max(0, self.content_room)]
        if content:
            self.sink.content(content)

    def notify(
        self, state: WaitState, position: int | None, eta_seconds: float | None, now: float
    ) -> None:
        """Tell the consumer why there is no token yet, unless it was the last thing it heard."""
        notice = state if position is None else position
        if notice != self.notice:
            self.notice = notice
            self.spoke_at = now
            self.sink.waiting(state, position, eta_seconds)
