"""What nodes send about requests, on its way to the consumers: the relay part of their life."""

from idleclaw_protocol.chat import ErrorCode
from idleclaw_protocol.frame_reading import POLICY_VIOLATION
from idleclaw_protocol.frames import Chunk
from idleclaw_protocol.limits import MAX_TOOL_CALLS
from idleclaw_server import chunk_reading
from idleclaw_server.counters import Counters
from idleclaw_server.endings import AnswerLimit, cut, ending
from idleclaw_server.errors import ChunkError
from idleclaw_server.node import Node
from idleclaw_server.node_registry import NodeRegistry
from idleclaw_server.observations import observe_answer, observe_first_token
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Phase, Relay
from idleclaw_server.request_life import RequestLife
from idleclaw_server.tool_calls import cleaned_call
from idleclaw_server.tool_rounds import ToolRounds


class NodeAnswers:
    """Takes each frame of a node that names a request. A node speaks only for what runs at it."""

    def __init__(
        self,
        registry: NodeRegistry,
        life: RequestLife,
        rounds: ToolRounds,
        policy: Policy,
        counters: Counters,
    ) -> None:
        self._registry = registry
        self._life = life
        self._rounds = rounds
        self._policy = policy
        self._counters = counters

    def chunk(self, node: Node, request_id: str, chunk: object, now: float) -> None:
        """Pass on one chunk. This is the hot path."""
        relay = node.in_flight.get(request_id)
        if relay is None:
            ends = type(chunk) is dict and chunk.get("done") is True
            self._stray(node, request_id, now, ends=ends)
            return
        relay.progress += 1
        self._counters.chunks += 1
        text = chunk_reading.plain_text(chunk)
        if text is not None:
            clean = relay.content.decode(text)
            if clean:
                self._content(relay, clean, now)
            return
        try:
            self._full_chunk(relay, chunk_reading.read_chunk(chunk), now)
        except ChunkError:
            self._counters.malformed += 1
            self._life.attempt_failed(relay, "node_error", now)

    def failed(self, node: Node, request_id: str, now: float) -> None:
        """Handle the error with which a node ended a request."""
        relay = node.in_flight.get(request_id)
        if relay is None:
            self._stray(node, request_id, now, ends=True)
            return
        self._life.attempt_failed(relay, "node_error", now, ended_by_node=True)

    def declined(self, node: Node, request_id: str, now: float) -> None:
        """Give a declined request to another node; it is never held against the first.

        A node that did not offer to decline has failed.
        """
        relay = node.in_flight.get(request_id)
        if relay is None or not node.declines:
            self.failed(node, request_id, now)
            return
        self._counters.declined += 1
        code: ErrorCode = "overloaded" if relay.first_token_at is None else "node_lost"
        self._life.attempt_failed(relay, code, now, ended_by_node=True, blame=False)

    def cancelled(self, node: Node, request_id: str, now: float) -> None:
        """Take a node's word that a cancelled request no longer runs there."""
        self._stray(node, request_id, now, ends=True)

    def _stray(self, node: Node, request_id: str, now: float, *, ends: bool) -> None:
        """Count a frame for a request that does not run at this node; close it if it floods.

        The end of a cancelled request crossed the cancel, and is as good as its confirmation.
        """
        if request_id in node.cancelling:
            if ends:
                self._life.cancel_confirmed(node, request_id, now)
            return
        self._counters.strays += 1
        if node.count_stray(request_id, now) > self._policy.max_stray_frames:
            node.link.close(POLICY_VIOLATION, "too many unexpected frames")

    def _content(self, relay: Relay, clean: str, now: float) -> None:
        if relay.first_token_at is None:
            self._first_token(relay, now)
        if relay.tool_use is not None:
            relay.tool_use.heard(clean)
        relay.content_room -= len(clean)
        if relay.content_room < 0:
            relay.sink.content(clean[: relay.content_room])
            self._cut(relay, "content", now)
        elif relay.sink.content(clean) > self._policy.max_stream_bytes:
            self._life.cut_consumer(relay, now)

    def _thinking(self, relay: Relay, clean: str, now: float) -> None:
        if relay.first_token_at is None:
            self._first_token(relay, now)
        relay.thinking_room -= len(clean)
        if relay.thinking_room < 0:
            relay.sink.thinking(clean[: relay.thinking_room])
            self._cut(relay, "thinking", now)
        elif relay.sink.thinking(clean) > self._policy.max_stream_bytes:
            self._life.cut_consumer(relay, now)

    def _cut(self, relay: Relay, limit: AnswerLimit, now: float) -> None:
        self._life.finish(relay, cut(relay, limit, self._policy, now), now, ended_by_node=False)

    def _full_chunk(self, relay: Relay, chunk: Chunk, now: float) -> None:
        message = chunk.message
        thinking = relay.thinking.decode(message.thinking or "")
        content = relay.content.decode(message.content)
        if chunk.done:
            thinking += relay.thinking.flush()
            content += relay.content.flush()
        if thinking:
            self._thinking(relay, thinking, now)
        if content and relay.phase is not Phase.ENDED:
            self._content(relay, content, now)
        if relay.phase is Phase.ENDED:
            return
        if message.tool_calls and (relay.request.tools or relay.tool_use is not None):
            relay.tool_calls.extend(map(cleaned_call, message.tool_calls))
            if len(relay.tool_calls) > MAX_TOOL_CALLS:
                raise ChunkError("too many tool calls")
        if chunk.done:
            self._done(relay, chunk, now)

    def _first_token(self, relay: Relay, now: float) -> None:
        relay.first_token_at = now
        observe_first_token(relay, self._registry.models[relay.request.model].speed, now)

    def _done(self, relay: Relay, chunk: Chunk, now: float) -> None:
        rate = chunk_reading.tokens_per_second(chunk)
        observe_answer(relay, self._registry.models[relay.request.model].speed, rate, now)
        usage = chunk_reading.usage(chunk)
        if relay.tool_use is not None:
            usage = relay.tool_use.add_usage(usage)
            if self._rounds.begin(relay, now):
                return
            relay.tool_calls.clear()
        reason = chunk_reading.finish_reason(chunk, calls_tools=bool(relay.tool_calls))
        end = ending(relay, reason, now, usage=usage, tokens_per_second=rate)
        self._life.finish(relay, end, now, ended_by_node=True)
