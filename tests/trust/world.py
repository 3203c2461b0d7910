"""A router's core with probes, nodes in memory and a virtual clock."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from ipaddress import ip_address

from idleclaw_protocol.frames import OfferedModel, Register
from idleclaw_server.chat_rules import ChatRules
from idleclaw_server.client_address import client_of
from idleclaw_server.policy import Policy
from idleclaw_server.probing import Probing
from idleclaw_server.standing import Standing
from tests.router.simulated_peers import Job, SimulatedNode
from tests.router.simulator import Simulation
from tests.trust.models import Model

TODAY = date(2026, 11, 22)
MODEL = "m"


class World(Simulation):
    """The world of the router's simulation, in which nodes are probed when a test says so."""

    def __init__(self, seed: int = 0, rules: ChatRules | None = None) -> None:
        super().__init__(replace(Policy(), max_nodes=100), seed)
        rng = random.Random(seed)
        self.probing = Probing(self.core, rules or ChatRules(), 1_800, rng)
        self._addresses = 0

    def node(
        self,
        node_id: str = "n",
        *,
        secret: str | None = "s",
        slots: int = 1,
        features: Sequence[str] = (),
        models: Sequence[str] = (MODEL,),
    ) -> SimulatedNode:
        """Connect a node from an address of its own."""
        register = Register(
            node_id=node_id,
            models=tuple(OfferedModel(name=name, size=1) for name in models),
            max_concurrent=slots,
            features=frozenset(features),
            secret=secret,
        )
        peer = SimulatedNode(len(self.everyone), node_id, self._attempts)
        self._addresses += 1
        client = client_of(ip_address(0x0A000000 + self._addresses))
        peer.listed = self.core.node_registered(register, peer, self.now, client)
        self.nodes.append(peer)
        self.everyone.append(peer)
        self._drop_closed()
        return peer

    def ask(self, peer: SimulatedNode) -> Job | None:
        """Probe a node; return what it was asked, None where it was left alone."""
        assert peer.listed is not None
        before = set(peer.jobs)
        started = self.probing.start(peer.listed, self.now, TODAY)
        job = next((job for key, job in peer.jobs.items() if key not in before), None)
        assert started == (job is not None)
        return job

    def answer(self, peer: SimulatedNode, job: Job, text: str, reason: str = "stop") -> None:
        """Let a node answer, and the router look at it."""
        peer.end(job)
        chunk = {"message": {"content": text}, "done": True, "done_reason": reason}
        self.frame(peer, "chunk", job.request_id, chunk)
        self.look()

    def look(self) -> None:
        """Let the router judge what was answered; no time passes, so no chance starts probes."""
        self.probing.tick(self.now, TODAY)

    def check_node(self, peer: SimulatedNode, model: Model, times: int = 1) -> None:
        """Probe a node again and again; it answers with `model`."""
        for _ in range(times):
            job = self.ask(peer)
            assert job is not None
            # The simulation calls whatever the last message says the name of its consumer.
            self.answer(peer, job, model(job.consumer))

    def until_out(self, peer: SimulatedNode, model: Model, most: int = 40) -> int:
        """Probe a node until it is out; return how often."""
        for number in range(1, most + 1):
            self.check_node(peer, model)
            if standing(peer).is_out:
                return number
        raise AssertionError(f"not out after {most} probes")


def standing(peer: SimulatedNode) -> Standing:
    """Return what the router thinks of a node."""
    assert peer.listed is not None
    return peer.listed.standing
