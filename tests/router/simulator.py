"""A router's core with simulated peers and a virtual clock: one method for each thing that happens.

After every event all invariants are checked. `Walk` draws the events from a seed; the state machine
draws them from hypothesis.
"""

import itertools
import random
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from idleclaw_protocol.frames import Heartbeat, Register
from idleclaw_server.core import RouterCore
from idleclaw_server.errors import NodeRefused, RequestRefused
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.policy import Policy
from tests.router import invariants
from tests.router.simulated_peers import Job, SimulatedConsumer, SimulatedNode

POLICY = Policy(max_waiting_per_model=6, max_waiting=12, max_nodes=12, max_stream_bytes=1000)
MODELS = ("m0", "m1", "m2")
TOOLS = ({"type": "function", "function": {"name": "f"}},)


class Simulation:
    """The world around one core. Times are virtual seconds."""

    def __init__(self, policy: Policy = POLICY, seed: int = 0) -> None:
        ids = itertools.count()
        self.now = 0.0
        self.core = RouterCore(
            policy,
            rng=random.Random(seed),
            new_id=lambda: f"r{next(ids)}",
            alias_key=b"k",
            now=self.now,
        )
        self.nodes: list[SimulatedNode] = []
        self.everyone: list[SimulatedNode] = []
        self.consumers: list[SimulatedConsumer] = []
        self.refused = 0
        self._names = itertools.count()
        self._attempts: set[tuple[str, str]] = set()

    # nodes

    def join(
        self, node_id: str, models: Iterable[str], *, secret: str | None = None, **more: Any
    ) -> SimulatedNode | None:
        """Register a node; None where the router refused it."""
        register = Register.model_validate(
            {
                "node_id": node_id,
                "models": [{"name": name, "size": 1} for name in models],
                "secret": secret,
                **more,
            }
        )
        peer = SimulatedNode(len(self.everyone), node_id, self._attempts)
        before = list(self.core.registry)
        old = next((node for node in before if node.node_id == node_id), None)
        may_take_over = old is None or (old.secret is not None and old.secret == secret)
        try:
            peer.listed = self.core.node_registered(register, peer, self.now)
        except NodeRefused:
            assert list(self.core.registry) == before, "a refused registration changes nothing"
            return None
        assert may_take_over, "only the secret's holder takes a live node_id over"
        self.nodes.append(peer)
        self.everyone.append(peer)
        self._drop_closed()
        return peer

    def leave(self, peer: SimulatedNode) -> None:
        """Let a node's connection end; also one that was replaced or evicted, or ended before."""
        assert peer.listed is not None
        self.core.node_left(peer.listed, self.now)
        peer.closed = peer.closed or (1006, "")
        self._drop_closed()

    def heartbeat(self, peer: SimulatedNode, **fields: Any) -> None:
        """Let a node say how it is."""
        assert peer.listed is not None
        self.core.heartbeat(peer.listed, Heartbeat.model_validate(fields), self.now)

    def chunk(
        self,
        peer: SimulatedNode,
        job: Job,
        *,
        says: Collection[str] = ("content",),
        done: bool = False,
        message: Mapping[str, object] | None = None,
    ) -> None:
        """Let a node send a chunk of a job it has, with a piece in each key that `says` names."""
        texts = {key: peer.piece(job) for key in ("thinking", "content") if key in says}
        if done:
            peer.end(job)
        whole = {"message": {"content": "", **(message or {}), **texts}, "done": done}
        self.frame(peer, "chunk", job.request_id, whole)

    def fail(self, peer: SimulatedNode, job: Job, *, decline: bool = False) -> None:
        """Let a node end a job with an error or decline it."""
        peer.end(job)
        self.frame(peer, "declined" if decline else "failed", job.request_id)

    def confirm(self, peer: SimulatedNode) -> None:
        """Let a node confirm the oldest cancel it got."""
        self.frame(peer, "cancelled", peer.to_confirm.pop(0))

    def frame(self, peer: SimulatedNode, kind: str, request_id: str, chunk: object = None) -> None:
        """Let a node send any frame about any request; it may change only what runs at it."""
        assert peer.listed is not None
        own = request_id in peer.listed.in_flight
        before = None if own else self._elsewhere(peer)
        if kind == "chunk":
            self.core.answers.chunk(peer.listed, request_id, chunk, self.now)
        else:
            handle: Callable[..., None] = getattr(self.core.answers, kind)
            handle(peer.listed, request_id, self.now)
        assert own or before == self._elsewhere(peer), "a frame about what runs elsewhere"
        self._drop_closed()

    def _elsewhere(self, peer: SimulatedNode) -> list[set[str]]:
        others = [node for node in self.core.registry if node is not peer.listed]
        return [{*node.in_flight, *node.cancelling} for node in others]

    # consumers

    def submit(self, client: str, model: str, *, tools: bool = False) -> SimulatedConsumer | None:
        """Ask for an answer; None where the router refused it."""
        consumer = SimulatedConsumer(f"c{next(self._names)}")
        request = self.request(consumer.name, client, model, tools=tools)
        try:
            consumer.relay = self.core.submit(request, consumer, self.now)
        except RequestRefused:
            self.refused += 1
            assert not consumer.notices
            return None
        self.consumers.append(consumer)
        return consumer

    @staticmethod
    def request(name: str, client: str, model: str, *, tools: bool = False) -> InferenceRequest:
        """Return what a consumer asks; nodes know it by its name."""
        return InferenceRequest(
            model=model,
            messages=({"role": "user", "content": name},),
            client=client,
            tools=TOOLS if tools else (),
        )

    def depart(self, consumer: SimulatedConsumer) -> None:
        """Let a consumer go, after the end or before it."""
        assert consumer.relay is not None
        self.core.life.consumer_left(consumer.relay, self.now)
        consumer.left = True

    # time

    def pass_time(self, seconds: float) -> None:
        """Let time pass, then let the sweeper look."""
        self.now += seconds
        self.core.deadlines.sweep(self.now)
        self._drop_closed()

    # all

    @property
    def present(self) -> list[SimulatedConsumer]:
        """The consumers that have not left."""
        return [consumer for consumer in self.consumers if not consumer.left]

    def jobs(self) -> list[tuple[SimulatedNode, Job]]:
        """Return what nodes believe to be running, whether the router agrees or not."""
        return [(peer, job) for peer in self.nodes for job in peer.jobs.values()]

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        invariants.check(self.core, self.consumers)

    def everybody_leaves(self) -> None:
        """End the world; nothing may be left of it."""
        for consumer in self.present:
            self.depart(consumer)
        for peer in self.everyone:
            self.leave(peer)
        self.check()
        invariants.at_rest(self.core, self.everyone)

    def forget_ended(self) -> None:
        """Keep long runs fast: consumers that left no longer take part in the checks."""
        gone = [consumer for consumer in self.consumers if consumer.left]
        self.core.counters.requests -= len(gone)
        self.consumers = self.present

    def _drop_closed(self) -> None:
        self.nodes = [peer for peer in self.nodes if peer.closed is None]
