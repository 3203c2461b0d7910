"""The life of a request: admit, match, reserve, dispatch, (relay, in answers.py,), settle.

Everything here runs to its end without waiting, so between choosing a slot and holding it, or
between an end and its consequences, nothing else can happen. Whatever ends a request first calls
`_settle`; whatever comes after finds it ended.
"""

import random
from collections.abc import Callable
from typing import Final

from pydantic_core import to_json

from idleclaw_protocol.chat import ErrorCode
from idleclaw_protocol.frames import CancelRequest
from idleclaw_protocol.limits import MAX_FRAME_BYTES, MAX_MODEL_NAME_CHARS
from idleclaw_protocol.text_safety import clean_line
from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.choice import choose
from idleclaw_server.counters import Counters
from idleclaw_server.dispatch import send_request
from idleclaw_server.endings import ending
from idleclaw_server.errors import NoSuchModel, QueueFull, RequestTooLarge, ShuttingDown
from idleclaw_server.inference import AnswerSink, AnswerText, Ending, InferenceRequest
from idleclaw_server.node import Node
from idleclaw_server.node_registry import ModelEntry, NodeRegistry
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Phase, Relay
from idleclaw_server.tool_use import NoTools, ToolRunner, ToolUse

_RETRY_AFTER_SECONDS: Final = 5
_FRAME_OVERHEAD_BYTES: Final = 512
_NO_TOOLS: Final = NoTools()


class RequestLife:
    """All requests of this router, from their admission to their end.

    Times are seconds of one monotonic clock, passed in as `now`. `new_id` makes ids that are
    never used twice, `new_text` what cleans one text of an answer.

    Attributes:
        active: the requests that run or wait.
        unread: ended requests whose consumer has yet to take the end (`consumer_left`).
        waiting: how many of the active ones wait.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        policy: Policy,
        counters: Counters,
        rng: random.Random,
        new_id: Callable[[], str],
        new_text: Callable[[], AnswerText] = AnswerFilter,
        tools: ToolRunner = _NO_TOOLS,
    ) -> None:
        self._registry = registry
        self._policy = policy
        self._counters = counters
        self._rng = rng
        self._new_id = new_id
        self._new_text = new_text
        self._tools = tools
        self.active: dict[Relay, None] = {}
        self.unread: dict[Relay, None] = {}
        self.waiting = 0
        self.draining = False

    # admit, match

    def submit(self, request: InferenceRequest, sink: AnswerSink, now: float) -> Relay:
        """Start a request, or put it into the queue.

        Raises:
            ShuttingDown: the router is draining.
            RequestTooLarge: its frame would not pass a node's 1 MiB limit.
            NoSuchModel: nobody has the model; the nearest names are on the error.
            QueueFull: no slot and no room to wait.
        """
        if self.draining:
            raise ShuttingDown("The router is restarting.", retry_after=_RETRY_AFTER_SECONDS)
        entry = self._registry.models.get(request.model)
        if entry is None:
            name = clean_line(request.model, MAX_MODEL_NAME_CHARS)
            raise NoSuchModel(
                f"No nodes available with model {name}",
                models=self._registry.nearest_names(request.model),
            )
        size = len(to_json(request.ollama_params(thinks=True))) + _FRAME_OVERHEAD_BYTES
        if size > MAX_FRAME_BYTES:
            raise RequestTooLarge("The conversation is too large. Start a new one.")
        relay = Relay(request, sink, now, self._policy, self._new_text)
        if not self._start(relay, entry, now):
            if self._is_full(entry):
                raise QueueFull(
                    "Every node with this model is busy and the queue is full.",
                    retry_after=_RETRY_AFTER_SECONDS,
                )
            entry.queue.add(relay)
            self.waiting += 1
        self.active[relay] = None
        return relay

    def _is_full(self, entry: ModelEntry) -> bool:
        return (
            len(entry.queue) >= self._policy.max_waiting_per_model
            or self.waiting >= self._policy.max_waiting
        )

    # reserve, dispatch

    def _start(self, relay: Relay, entry: ModelEntry, now: float) -> bool:
        node = choose(entry.free, entry.name, relay.tried, self._rng)
        if node is None:
            return False
        self._dispatch(relay, node, now)
        return True

    def _dispatch(self, relay: Relay, node: Node, now: float) -> None:
        model = relay.request.model
        loaded = node.has_loaded(model)
        budget = self._policy.first_token_seconds if loaded else self._policy.loading_seconds
        relay.start_attempt(node, self._new_id(), now, budget=budget, loading=not loaded)
        mode = node.tool_mode(model, relay.request.server_tools)
        relay.tool_use = None if mode is None else ToolUse(mode)
        node.in_flight[relay.request_id] = relay
        self._registry.refresh(node)
        send_request(relay, node)
        if not loaded:
            relay.notify("loading", None, None, now)
        elif relay.notice is not None:
            relay.notify("waiting", None, None, now)

    def offer_slots(self, node: Node, now: float) -> None:
        """Give the node's free slots to those who have waited longest for one of its models."""
        while node.has_free_slot and node in self._registry:
            heads = (
                self._registry.models[name].queue.next(lambda r: node.node_id not in r.tried)
                for name in node.models
            )
            relay = min(filter(None, heads), key=lambda r: r.waiting_since, default=None)
            if relay is None:
                return
            self._registry.models[relay.request.model].queue.take(relay)
            self.waiting -= 1
            self._dispatch(relay, node, now)

    # a node gives up, is given up, or leaves

    def cancel_confirmed(self, node: Node, request_id: str, now: float) -> bool:
        """Free the slot of a cancelled request; tell whether it was waiting for that."""
        if node.cancelling.pop(request_id, None) is None:
            return False
        self._slots_changed(node, now)
        return True

    def node_removed(self, node: Node, orphans: list[ModelEntry], now: float) -> None:
        """Re-route or end everything that a removed node was doing, or that waited for it."""
        for relay in list(node.in_flight.values()):
            self.attempt_failed(relay, "node_lost", now)
        for entry in orphans:
            for relay in list(entry.queue):
                self._leave_queue(relay, entry)
                self.fail(relay, "no_node", now)

    def attempt_failed(
        self,
        relay: Relay,
        code: ErrorCode,
        now: float,
        *,
        ended_by_node: bool = False,
        blame: bool = True,
    ) -> None:
        """Give a running request to a node that was not tried, or end it with `code`."""
        node = relay.node
        assert node is not None
        if blame:
            node.speed(relay.request.model).reliability.add(0.0)
        entry = self._registry.models.get(relay.request.model)
        may_retry = (
            relay.first_token_at is None
            and (relay.tool_use is None or not relay.tool_use.rounds)
            and len(relay.tried) < self._policy.max_attempts
            and now < relay.first_token_limit
            and entry is not None
            and entry.has_untried(relay.tried)
        )
        if not may_retry or entry is None:
            self.fail(relay, code, now, ended_by_node=ended_by_node)
            return
        self._counters.retries += 1
        self._leave_node(relay, now, ended_by_node=ended_by_node)
        if not self._start(relay, entry, now):
            relay.phase = Phase.WAITING
            relay.waiting_since = now
            entry.queue.add_returned(relay)
            self.waiting += 1
        self._slots_changed(node, now)

    # settle

    def finish(self, relay: Relay, end: Ending, now: float, *, ended_by_node: bool) -> None:
        """End a request; where its node has not ended it, it is cancelled there.

        What was held back of its text goes out first. A request that has ended already stays as
        it is.
        """
        if relay.phase is not Phase.ENDED:
            relay.release_held_text()
            relay.sink.end(end)
            self._settle(relay, now, ended_by_node=ended_by_node)

    def consumer_left(self, relay: Relay, now: float) -> None:
        """Forget a request whose consumer took its end or is gone; what still runs is cancelled."""
        if relay.phase is not Phase.ENDED:
            self._counters.cancelled += 1
            self._settle(relay, now, ended_by_node=False)
        self.unread.pop(relay, None)

    def cut_consumer(self, relay: Relay, now: float) -> None:
        """Cut off a consumer that does not read; what still runs for it is cancelled."""
        self._counters.consumers_cut += 1
        if relay.phase is not Phase.ENDED:
            self._settle(relay, now, ended_by_node=False)
        self.unread.pop(relay, None)
        relay.sink.abort()

    def fail(
        self, relay: Relay, code: ErrorCode, now: float, *, ended_by_node: bool = False
    ) -> None:
        """End a request with an error that its consumer is told."""
        if relay.phase is not Phase.ENDED:
            self._counters.errors += 1
            self.finish(
                relay, ending(relay, "error", now, code=code), now, ended_by_node=ended_by_node
            )

    def _settle(self, relay: Relay, now: float, *, ended_by_node: bool) -> None:
        was_waiting = relay.phase is Phase.WAITING
        node = relay.node
        if relay.tool_use is not None:
            ended_by_node |= relay.tool_use.cancel(self._tools)
        relay.phase = Phase.ENDED
        self.active.pop(relay, None)
        self.unread[relay] = None
        self._counters.requests += 1
        if was_waiting:
            entry = self._registry.models.get(relay.request.model)
            if entry is not None:
                self._leave_queue(relay, entry)
        elif node is not None:
            self._leave_node(relay, now, ended_by_node=ended_by_node)
            self._slots_changed(node, now)

    def _leave_queue(self, relay: Relay, entry: ModelEntry) -> None:
        if entry.queue.remove(relay):
            self.waiting -= 1

    def _leave_node(self, relay: Relay, now: float, *, ended_by_node: bool) -> None:
        node, request_id = relay.node, relay.request_id
        assert node is not None
        del node.in_flight[request_id]
        relay.node = None
        if ended_by_node or node not in self._registry:
            node.remember(request_id, free_until=now)
            return
        until = now + self._policy.cancel_ack_seconds
        node.remember(request_id, free_until=until)
        if node.confirms_cancel:
            node.cancelling[request_id] = until
        node.link.send(CancelRequest(request_id=request_id).to_json().encode())

    def _slots_changed(self, node: Node, now: float) -> None:
        self._registry.refresh(node)
        self.offer_slots(node, now)
