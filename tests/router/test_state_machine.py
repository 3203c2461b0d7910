"""The same world as in the walks, driven by hypothesis: it finds short ways to a contradiction."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE
from tests.router.simulated_peers import SimulatedConsumer, SimulatedNode
from tests.router.simulator import MODELS, Simulation

_NODE_IDS = st.sampled_from(["n0", "n1", "n2"])
_SECRETS = st.sampled_from([None, "s1", "s2"])
_OFFERS = st.lists(st.sampled_from(MODELS), min_size=1, max_size=3, unique=True)
_FEATURES = st.sets(st.sampled_from([DECLINE, CANCEL_ACK]))
_INDEX = st.integers(min_value=0, max_value=30)
_COUNTS = st.one_of(st.none(), st.integers(), st.sampled_from([0, 1, 2, 99, 10**40]))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["message", "content", "done", "thinking", "tool_calls", "function"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


class RouterMachine(RuleBasedStateMachine):
    """Every rule is one thing that may happen at any time; A1, A2, A3, A19, A21, A25."""

    @initialize(slots=st.integers(1, 3), features=_FEATURES)
    def begin(self, slots: int, features: set[str]) -> None:
        self.world = Simulation()
        self.world.join("n0", MODELS, secret="s1", max_concurrent=slots, features=list(features))

    @rule(node_id=_NODE_IDS, models=_OFFERS, secret=_SECRETS, slots=_INDEX, features=_FEATURES)
    def join(
        self, node_id: str, models: list[str], secret: str | None, slots: int, features: set[str]
    ) -> None:
        self.world.join(
            node_id, models, secret=secret, max_concurrent=slots, features=list(features)
        )

    @rule(index=_INDEX)
    def leave(self, index: int) -> None:
        self.world.leave(_pick(self.world.everyone, index))

    @precondition(lambda self: self.world.nodes)
    @rule(
        index=_INDEX,
        active=_COUNTS.filter(lambda count: count is not None),
        slots=_COUNTS,
        available=st.booleans(),
        loaded=st.one_of(st.none(), st.lists(st.sampled_from(MODELS))),
    )
    def heartbeat(self, index: int, active: int, slots: int | None, **fields: Any) -> None:
        peer = _pick(self.world.nodes, index)
        self.world.heartbeat(peer, active_requests=active, max_concurrent=slots, **fields)

    @rule(client=st.sampled_from("abc"), model=st.sampled_from(MODELS), tools=st.booleans())
    def submit(self, client: str, model: str, tools: bool) -> None:
        self.world.submit(client, model, tools=tools)

    @precondition(lambda self: self.world.present)
    @rule(index=_INDEX)
    def depart(self, index: int) -> None:
        self.world.depart(_pick(self.world.present, index))

    @precondition(lambda self: self.world.present)
    @rule(index=_INDEX, backlog=st.sampled_from([0, 2000]), stalled=st.sampled_from([0.0, 40.0]))
    def read_slowly(self, index: int, backlog: int, stalled: float) -> None:
        consumer: SimulatedConsumer = _pick(self.world.present, index)
        consumer.backlog, consumer.stalled = backlog, stalled

    @precondition(lambda self: self.world.jobs())
    @rule(index=_INDEX, says=st.sets(st.sampled_from(["content", "thinking"])), done=st.booleans())
    def chunk(self, index: int, says: set[str], done: bool) -> None:
        peer, job = _pick(self.world.jobs(), index)
        self.world.chunk(peer, job, says=says, done=done)

    @precondition(lambda self: self.world.jobs())
    @rule(index=_INDEX, decline=st.booleans())
    def fail(self, index: int, decline: bool) -> None:
        peer, job = _pick(self.world.jobs(), index)
        self.world.fail(peer, job, decline=decline)

    @precondition(lambda self: any(peer.to_confirm for peer in self.world.nodes))
    @rule(index=_INDEX)
    def confirm(self, index: int) -> None:
        self.world.confirm(_pick([peer for peer in self.world.nodes if peer.to_confirm], index))

    @precondition(lambda self: self.world.nodes)
    @rule(
        index=_INDEX,
        about=_INDEX,
        kind=st.sampled_from(["failed", "declined", "cancelled"]),
    )
    def speak_about_anything(self, index: int, about: int, kind: str) -> None:
        """A node names any request of the run: its own, another's, one that ended long ago."""
        self.world.frame(_pick(self.world.nodes, index), kind, f"r{about}")

    @precondition(lambda self: self.world.jobs() and len(self.world.nodes) > 1)
    @rule(index=_INDEX, speaker=_INDEX, done=st.booleans())
    def inject(self, index: int, speaker: int, done: bool) -> None:
        """A node writes into the answer of another."""
        _, job = _pick(self.world.jobs(), index)
        strangers = [peer for peer in self.world.nodes if job.request_id not in peer.jobs]
        if strangers:
            peer: SimulatedNode = _pick(strangers, speaker)
            text = f"{job.consumer}.{peer.serial}.{job.request_id}.0;"
            chunk = {"message": {"content": text}, "done": done}
            self.world.frame(peer, "chunk", job.request_id, chunk)

    @precondition(lambda self: self.world.jobs())
    @rule(index=_INDEX, chunk=_JSON)
    def nonsense(self, index: int, chunk: object) -> None:
        peer, job = _pick(self.world.jobs(), index)
        if not _has_text(chunk):
            self.world.frame(peer, "chunk", job.request_id, chunk)

    @rule(seconds=st.sampled_from([0.5, 3.0, 16.0, 50.0, 61.0, 1000.0]), alive=st.booleans())
    def time_passes(self, seconds: float, alive: bool) -> None:
        self.world.now += seconds
        for peer in self.world.nodes if alive else []:
            self.world.heartbeat(peer)
        self.world.pass_time(0)

    @rule()
    def drain(self) -> None:
        self.world.core.drain()

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.everybody_leaves()


def _pick(items: list[Any], index: int) -> Any:
    return items[index % len(items)]


def _has_text(chunk: object) -> bool:
    """Whether there is text in it, which a consumer would not take for one of its pieces."""
    message = chunk.get("message") if isinstance(chunk, dict) else None
    values = message.values() if isinstance(message, dict) else ()
    return any(isinstance(value, str) for value in values)


TestRouterMachine = RouterMachine.TestCase
TestRouterMachine.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
