"""A long random walk through everything that can happen to a router."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE
from tests.router.simulated_peers import Job, SimulatedNode
from tests.router.simulator import MODELS, POLICY, Simulation

_CALLS = {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}
_SAYS: tuple[list[str], ...] = (["content"], ["content"], ["content", "thinking"], ["thinking"], [])
_NONSENSE: tuple[object, ...] = (
    None,
    7,
    [],
    {"message": 1, "done": False},
    {"message": {"content": ["x"]}, "done": False},
    {"message": {"content": "", "tool_calls": [{}]}, "done": True},
)


class Walk:
    """One seed's way through the world; the same seed is the same way."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.world = Simulation(replace(POLICY, max_nodes=1 + seed % 6), seed)
        self.happened: Counter[str] = Counter()
        self._secrets: dict[str, str | None] = {}
        self._events: list[tuple[float, Callable[[], object]]] = [
            (4, self.join),
            (2, self.take_over),
            (0.7, self.leave),
            (4, self.heartbeat),
            (25, self.submit),
            (10, self.depart),
            (30, self.chunk),
            (7, self.done),
            (2, self.fail),
            (2, self.decline),
            (2, self.nonsense),
            (5, self.confirm),
            (2, self.stray),
            (2, self.foreign),
            (2, self.late),
            (3, self.slow_down),
            (4, self.tick),
            (0.3, self.jump),
            (1, self.ghost),
        ]
        self._weights = [weight for weight, _ in self._events]

    def run(self, steps: int) -> None:
        """Take `steps` steps, checking after each; then let everybody leave."""
        for number in range(steps):
            ((_, event),) = self.rng.choices(self._events, self._weights)
            event()
            self.happened[event.__name__] += 1
            self.world.check()
            if number % 200 == 0:
                self.world.forget_ended()
        if self.rng.random() < 0.5:
            self.world.core.drain()
            self.world.core.end_all(self.world.now)
            self.world.check()
            assert not self.world.core.life.active
        self.world.everybody_leaves()

    def join(self) -> None:
        node_id = f"n{self.rng.randrange(16)}"
        self._register(node_id, self.rng.choice([None, "s1", "s2"]))

    def take_over(self) -> None:
        if self._secrets:
            node_id = self.rng.choice(list(self._secrets))
            self._register(node_id, self._secrets[node_id])

    def _register(self, node_id: str, secret: str | None) -> None:
        features = [name for name in (DECLINE, CANCEL_ACK) if self.rng.random() < 0.7]
        models = self.rng.sample(MODELS, self.rng.randint(1, 3))
        peer = self.world.join(
            node_id,
            models,
            secret=secret,
            features=features,
            max_concurrent=self.rng.choice([1, 1, 2, 3]),
        )
        if peer is not None:
            self._secrets[node_id] = secret

    def leave(self) -> None:
        if self.world.nodes:
            self.world.leave(self.rng.choice(self.world.nodes))

    def ghost(self) -> None:
        """An old connection is found to have ended, long after it was replaced or closed."""
        if self.world.everyone:
            peer = self.rng.choice(self.world.everyone)
            if peer.closed is not None:
                self.world.leave(peer)

    def heartbeat(self) -> None:
        if self.world.nodes:
            self.world.heartbeat(
                self.rng.choice(self.world.nodes),
                active_requests=self.rng.choice([0, 0, 0, 1, 2, 99, -5, 10**25]),
                available=self.rng.random() < 0.9,
                max_concurrent=self.rng.choice([None, None, 1, 2, 50, -3]),
                loaded=self.rng.choice([None, [], [*MODELS], ["m0", "never heard of"]]),
            )

    def submit(self) -> None:
        client, model = f"client{self.rng.randrange(4)}", self.rng.choice([*MODELS, "m9"])
        self.world.submit(client, model, tools=self.rng.random() < 0.2)

    def depart(self) -> None:
        present = self.world.present
        if present:
            ended = [consumer for consumer in present if consumer.over]
            leavers = ended if ended and self.rng.random() < 0.7 else present
            self.world.depart(self.rng.choice(leavers))

    def chunk(self) -> None:
        peer, job = self._job()
        if peer is not None and job is not None:
            message = self.rng.choice([None, None, None, {"thinking": ""}, _CALLS])
            self.world.chunk(peer, job, says=self.rng.choice(_SAYS), message=message)

    def done(self) -> None:
        peer, job = self._job()
        if peer is not None and job is not None:
            self.world.chunk(peer, job, says=self.rng.choice(_SAYS), done=True)

    def fail(self) -> None:
        peer, job = self._job()
        if peer is not None and job is not None:
            self.world.fail(peer, job)

    def decline(self) -> None:
        peer, job = self._job()
        if peer is not None and job is not None:
            self.world.fail(peer, job, decline=True)

    def nonsense(self) -> None:
        peer, job = self._job()
        if peer is not None and job is not None:
            self.world.frame(peer, "chunk", job.request_id, self.rng.choice(_NONSENSE))

    def confirm(self) -> None:
        cancelled = [peer for peer in self.world.nodes if peer.to_confirm]
        if cancelled:
            self.world.confirm(self.rng.choice(cancelled))

    def stray(self) -> None:
        if self.world.nodes:
            self._frame(self.rng.choice(self.world.nodes), f"invented{self.rng.random()}")

    def foreign(self) -> None:
        """A node speaks about a request that runs at another."""
        peer, job = self._job()
        others = [other for other in self.world.nodes if other is not peer]
        if job is not None and others:
            self._frame(self.rng.choice(others), job.request_id, job)

    def late(self) -> None:
        """A node repeats itself about a request that ended, also after its connection did."""
        speakers = [peer for peer in self.world.everyone if peer.ended and peer.listed]
        if speakers:
            peer = self.rng.choice(speakers)
            self._frame(peer, self.rng.choice(peer.ended[-5:]))

    def _frame(self, peer: SimulatedNode, request_id: str, job: Job | None = None) -> None:
        kind = self.rng.choice(["chunk", "chunk", "failed", "declined", "cancelled"])
        name = job.consumer if job is not None else "nobody"
        text = f"{name}.{peer.serial}.{request_id}.0;"
        chunk = {"message": {"content": text}, "done": self.rng.random() < 0.5}
        self.world.frame(peer, kind, request_id, chunk)

    def slow_down(self) -> None:
        """A consumer reads slowly, not at all, or well again."""
        if self.world.present:
            consumer = self.rng.choice(self.world.present)
            consumer.backlog = self.rng.choice([0, 0, 900, 2000])
            consumer.stalled = self.rng.choice([0.0, 0.0, 10.0, 40.0])

    def tick(self) -> None:
        self.world.pass_time(self.rng.random() * 2)

    def jump(self) -> None:
        """The clock jumps; most nodes manage to say that they live before the sweeper looks."""
        seconds = self.rng.choice([10, 30, 50, 70, 200, 1000])
        self.world.now += seconds
        for peer in self.world.nodes:
            if self.rng.random() < 0.9:
                self.world.heartbeat(peer)
        self.world.pass_time(0)

    def _job(self) -> tuple[SimulatedNode | None, Job | None]:
        jobs = self.world.jobs()
        return self.rng.choice(jobs) if jobs else (None, None)
