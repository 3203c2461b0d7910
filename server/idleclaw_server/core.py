"""The router without any I/O: nodes in, requests in, frames and answers out.

Everything that reaches the router from a socket or a clock is one call here; everything that
leaves goes through `NodeLink` and `AnswerSink`. The parts are `NodeRegistry` (who has what),
`RequestLife` (what happens to a request), `NodeAnswers` (what nodes send about it) and `Deadlines`
(what time does to all of them).
"""

import random
from collections.abc import Callable
from typing import Final

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE, Heartbeat, Register, Registered
from idleclaw_server.aliases import AliasBook
from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.answers import NodeAnswers
from idleclaw_server.client_address import UNKNOWN_CLIENT, Client
from idleclaw_server.counters import Counters
from idleclaw_server.deadlines import Deadlines
from idleclaw_server.inference import AnswerSink, AnswerText, InferenceRequest, NodeLink
from idleclaw_server.model_counts import ModelCounts
from idleclaw_server.node import Node
from idleclaw_server.node_registry import NodeRegistry
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Phase, Relay
from idleclaw_server.request_life import RequestLife
from idleclaw_server.standing import Standing
from idleclaw_server.tool_rounds import ToolRounds
from idleclaw_server.tool_use import NoTools, ToolRunner

_NO_TOOLS: Final = NoTools()


class RouterCore:
    """The router's decisions. Times are seconds of one monotonic clock, passed in as `now`."""

    def __init__(
        self,
        policy: Policy,
        *,
        rng: random.Random,
        new_id: Callable[[], str],
        alias_key: bytes,
        now: float,
        new_text: Callable[[], AnswerText] = AnswerFilter,
        tools: ToolRunner = _NO_TOOLS,
    ) -> None:
        self.policy = policy
        self._new_text = new_text
        self.started_at = now
        self.counters = Counters()
        self.asked_models = ModelCounts()
        self.registry = NodeRegistry(
            policy.max_nodes, AliasBook(alias_key), policy.max_nodes_per_address
        )
        self.life = RequestLife(self.registry, policy, self.counters, rng, new_id, new_text, tools)
        rounds = ToolRounds(policy, tools, new_id)
        self.answers = NodeAnswers(self.registry, self.life, rounds, policy, self.counters)
        self.deadlines = Deadlines(self.registry, self.life, policy, self.counters)

    def node_registered(
        self, register: Register, link: NodeLink, now: float, client: Client = UNKNOWN_CLIENT
    ) -> Node:
        """List a node that may serve from now on, and answer it.

        Raises:
            NodeRefused: see `NodeRegistry.add`; nothing has changed then.
        """
        node, old = self.registry.add(register, link, now, client)
        if old is not None:
            old.link.close(1000, "re-registered")
            self.node_left(old, now)
        answer = Registered(
            node_id=node.node_id, features=frozenset({DECLINE, CANCEL_ACK}), alias=node.alias
        )
        link.send(answer.to_json().encode())
        self.life.offer_slots(node, now)
        return node

    def node_left(self, node: Node, now: float) -> None:
        """Forget a connection that ended; doing so twice, or after a takeover, does nothing."""
        if node in self.registry:
            self.life.node_removed(node, self.registry.remove(node), now)

    def heartbeat(self, node: Node, beat: Heartbeat, now: float) -> None:
        """Take in what a node says of itself."""
        node.heartbeat(beat, now)
        self.registry.refresh(node)
        self.life.offer_slots(node, now)

    def submit(self, request: InferenceRequest, sink: AnswerSink, now: float) -> Relay:
        """Start or queue a request; a queued one is told its place at once.

        Raises:
            RequestRefused: one of its kinds, see `RequestLife.submit`.
        """
        self.asked_models.add(request.model, known=request.model in self.registry.models)
        relay = self.life.submit(request, sink, now)
        if relay.node is None:
            self.deadlines.tell_place(relay, now)
        return relay

    def probe(
        self, node: Node, request: InferenceRequest, sink: AnswerSink, now: float
    ) -> Relay | None:
        """Ask one idle node alone, see `RequestLife.probe`; counted like any other request."""
        relay = self.life.probe(node, request, sink, now)
        if relay is not None:
            self.asked_models.add(request.model, known=True)
        return relay

    def cleaned(self, text: str) -> str:
        """Return what a consumer would get of an answer."""
        cleaner = self._new_text()
        return cleaner.decode(text) + cleaner.flush()

    def standing_changed(self, standing: Standing, now: float) -> None:
        """Take the node with this record out of use, or back in, if it is connected."""
        node = next((node for node in self.registry if node.standing is standing), None)
        if node is not None:
            self.life.standing_changed(node, now)

    def drain(self) -> None:
        """Refuse new requests from now on; those that run or wait go on."""
        self.life.draining = True

    def end_all(self, now: float) -> None:
        """End what is left after the drain's time is over.

        Those that wait come first: they must not start on the slots of those that run.
        """
        for relay in sorted(self.life.active, key=lambda relay: relay.phase is not Phase.WAITING):
            self.life.fail(relay, "shutting_down", now)
