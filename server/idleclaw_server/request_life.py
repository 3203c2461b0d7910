"""The life of a request: admit, match, reserve, dispatch, (relay: see answers.py), settle.

Everything here runs to its end without waiting, so between choosing a slot and holding it, or
between an end and its consequences, nothing else can happen. Whatever ends a request first calls
`_settle`; whatever comes after finds it ended.
"""

import random
from collections.abc import Callable

from idleclaw_protocol.chat import ErrorCode
from idleclaw_server.admission import admit, check_room
from idleclaw_server.choice import choose
from idleclaw_server.counters import Counters
from idleclaw_server.dispatch import send_request, withdraw
from idleclaw_server.endings import ending
from idleclaw_server.inference import AnswerSink, AnswerText, Ending, InferenceRequest
from idleclaw_server.node import Node
from idleclaw_server.node_registry import ModelEntry, NodeRegistry
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Phase, Relay
from idleclaw_server.tool_use import ToolRunner, ToolUse


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
        new_text: Callable[[], AnswerText],
        tools: ToolRunner,
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
        self._probed: dict[Node, None] = {}

    # admit, match

    def submit(self, request: InferenceRequest, sink: AnswerSink, now: float) -> Relay:
        """Start a request, or put it into the queue.

        Raises:
            RequestRefused: see `admit` and, where there is no slot, `check_room`.
        """
        entry = admit(request, self._registry, draining=self.draining)
        relay = Relay(request, sink, now, self._policy, self._new_text)
        if not self._start(relay, entry, now):
            check_room(entry, self.waiting, self._policy)
            entry.queue.add(relay)
            self.waiting += 1
        self.active[relay] = None
        return relay

    # reserve, dispatch

    def _start(self, relay: Relay, entry: ModelEntry, now: float) -> bool:
        node = choose(entry.free, entry.name, relay.tried, self._rng)
        if node is None and self._end_probes(entry, relay.tried, now):
            node = choose(entry.free, entry.name, relay.tried, self._rng)
        if node is None:
            return False
        self._dispatch(relay, node, now)
        return True

    def _dispatch(self, relay: Relay, node: Node, now: float) -> None:
        self.end_probe(node, now)
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
        while node.may_take and node in self._registry:
            heads = (
                self._registry.models[name].queue.next(lambda r: node.node_id not in r.tried)
                for name in node.models
            )
            relay = min(filter(None, heads), key=lambda r: r.waiting_since, default=None)
            if relay is None:
                return
            self.end_probe(node, now)
            if not node.has_free_slot:
                # The node has yet to confirm that the probe is over.
                return
            self._registry.models[relay.request.model].queue.take(relay)
            self.waiting -= 1
            self._dispatch(relay, node, now)

    # requests that give way

    def probe(
        self, node: Node, request: InferenceRequest, sink: AnswerSink, now: float
    ) -> Relay | None:
        """Ask an idle node alone; None where it is not. Whatever else it gets ends this request.

        To the node it is like any other.
        """
        if self.draining or node not in self._registry or not node.is_idle:
            return None
        relay = Relay(request, sink, now, self._policy, self._new_text)
        relay.gives_way = True
        self.active[relay] = None
        self._dispatch(relay, node, now)
        self._probed[node] = None
        node.probe = relay
        return relay

    def end_probe(self, node: Node, now: float) -> None:
        """Cut off the request at a node that gives way, if there is one."""
        relay = node.probe
        if relay is not None:
            self._counters.cancelled += 1
            self._settle(relay, now, ended_by_node=False, offer=False)
            self.unread.pop(relay, None)
            relay.sink.abort()

    def _end_probes(self, entry: ModelEntry, tried: set[str], now: float) -> bool:
        """Cut off the probes at the nodes that a request could have; tell whether there were any.

        A node that confirms cancels is free once it has; the request waits for that.
        """
        found = [n for n in self._probed if n in entry.usable and n.node_id not in tried]
        nodes = [node for node in found if node.may_take]
        for node in nodes:
            self.end_probe(node, now)
        return bool(nodes)

    def standing_changed(self, node: Node, now: float) -> None:
        """Give a node that was out its requests again, or let those go who wait for it alone."""
        self._end_waiting(self._registry.standing_changed(node), now)
        self.offer_slots(node, now)

    # a node gives up, is given up, or leaves

    def cancel_confirmed(self, node: Node, request_id: str, now: float) -> None:
        """Free the slot of a cancelled request, which its node has yet to confirm."""
        del node.cancelling[request_id]
        self._slots_changed(node, now)

    def node_removed(self, node: Node, orphans: list[ModelEntry], now: float) -> None:
        """Re-route or end everything that a removed node was doing, or that waited for it."""
        for relay in list(node.in_flight.values()):
            self.attempt_failed(relay, "node_lost", now)
        self._end_waiting(orphans, now)

    def _end_waiting(self, orphans: list[ModelEntry], now: float) -> None:
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
            node.standing.count_request(relay.request.model, answered=False)
        entry = self._registry.models.get(relay.request.model)
        other = entry is not None and entry.has_untried(relay.tried)
        if entry is None or not other or not relay.may_move(self._policy.max_attempts, now):
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

    def _settle(self, relay: Relay, now: float, *, ended_by_node: bool, offer: bool = True) -> None:
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
            self._slots_changed(node, now, offer=offer)

    def _leave_queue(self, relay: Relay, entry: ModelEntry) -> None:
        if entry.queue.remove(relay):
            self.waiting -= 1

    def _leave_node(self, relay: Relay, now: float, *, ended_by_node: bool) -> None:
        node, request_id = relay.node, relay.request_id
        assert node is not None
        del node.in_flight[request_id]
        relay.node = None
        if node.probe is relay:
            node.probe = None
            del self._probed[node]
        if ended_by_node or node not in self._registry:
            node.remember(request_id, free_until=now)
        else:
            withdraw(node, request_id, until=now + self._policy.cancel_ack_seconds)

    def _slots_changed(self, node: Node, now: float, *, offer: bool = True) -> None:
        self._registry.refresh(node)
        if offer:
            self.offer_slots(node, now)
