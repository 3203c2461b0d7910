"""A router whose nodes come, go and change at a steady pace, without a socket of their own.

python -m tests.bench.changing_router PORT [NODES MODELS CHANGES_PER_SECOND]
"""

import asyncio
import random
import sys
from typing import Final

import uvloop

from idleclaw_protocol.frames import Heartbeat, OfferedModel, Register
from idleclaw_server.core import RouterCore
from idleclaw_server.node import Node
from idleclaw_server.policy import Policy
from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings

MODELS_PER_NODE: Final = 4


class SilentLink:
    """A node's connection that nothing comes of."""

    def send(self, frame: bytes) -> None:
        """Take a frame."""

    def close(self, code: int, reason: str) -> None:
        """Take a close."""


class ChangingNetwork:
    """Nodes of a core: half of the changes are how busy one is, the rest who comes and goes."""

    def __init__(self, core: RouterCore, nodes: int, models: int) -> None:
        self._core = core
        self._rng = random.Random(7)
        self._names = [f"family-{number % 20}:{number}b-q4_K_M" for number in range(models)]
        self._nodes: list[Node] = []
        self._came = 0
        for _ in range(nodes):
            self._join(0.0)

    def change(self, now: float) -> None:
        """Let one thing happen."""
        kind = self._rng.random()
        at = self._rng.randrange(len(self._nodes))
        if kind < 0.25:
            self._core.node_left(self._nodes.pop(at), now)
            self._join(now)
        elif kind < 0.5:
            self._nodes[at].tokens_per_second.add(self._rng.uniform(5, 120))
            model = self._core.registry.models[next(iter(self._nodes[at].models))]
            model.speed.tokens_per_second.add(self._rng.uniform(5, 120))
            model.speed.first_token_seconds.add(self._rng.uniform(0.2, 3))
        else:
            beat = Heartbeat(
                active_requests=self._rng.randrange(4), available=self._rng.random() < 0.9
            )
            self._core.heartbeat(self._nodes[at], beat, now)

    def beat(self, now: float) -> None:
        """Let no node be taken for silent."""
        for node in self._nodes:
            node.last_heartbeat = now

    def _join(self, now: float) -> None:
        self._came += 1
        models = tuple(
            OfferedModel(name=name, size=10**9, capabilities=("completion",))
            for name in self._rng.sample(self._names, MODELS_PER_NODE)
        )
        register = Register(
            node_id=f"node-{self._came}", models=models, max_concurrent=4, ollama_version="0.12.6"
        )
        self._nodes.append(self._core.node_registered(register, SilentLink(), now))


async def main(port: int, nodes: int = 1000, models: int = 100, per_second: int = 50) -> None:
    """Run until killed."""
    clock = asyncio.get_running_loop().time
    policy = Policy(max_listeners_per_address=10_000)
    async with running_router(
        Settings(port=port, address_limits=False, probes=False), policy
    ) as router:
        network = ChangingNetwork(router.core, nodes, models)
        while True:
            network.beat(clock())
            for _ in range(per_second):
                network.change(clock())
                await asyncio.sleep(1 / per_second)


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
