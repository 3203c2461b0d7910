"""Random walks through the core with tools: whatever comes when, nothing is left over."""

import random

import pytest

from idleclaw_protocol.frames import CANCEL_ACK, Heartbeat, OfferedModel, Register
from idleclaw_server.core import RouterCore
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.offered_tools import CURRENT_TIME, WEB_SEARCH
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Relay
from idleclaw_server.tool_specs import ToolSet
from idleclaw_server.tool_use import Report, ToolJob
from tests.router.recording_sink import RecordingSink

_TOOLS = ToolSet([WEB_SEARCH, CURRENT_TIME])
_CALLS = (
    {"function": {"name": "web_search", "arguments": {"query": "x"}}},
    {"function": {"name": "current_time", "arguments": {}}},
    {"function": {"name": "nothing", "arguments": {}}},
    {"function": {"name": "web_search", "arguments": {"wrong": 1}}},
)


class _Runner:
    """A `ToolRunner` whose calls end when the walk says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, Report]] = []
        self.cancelled: list[ToolJob] = []
        self.started = 0

    def run(self, job: ToolJob, report: Report) -> None:
        """See `ToolRunner.run`."""
        assert job not in self.cancelled
        for place, planned in enumerate(job.calls):
            if planned.runs:
                self.started += 1
                self.waiting.append((place, report))

    def cancel(self, job: ToolJob) -> None:
        """See `ToolRunner.cancel`; what was about to end is reported all the same."""
        assert job not in self.cancelled
        self.cancelled.append(job)


class _Link:
    """A `NodeLink` that keeps what it is sent."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def send(self, frame: bytes) -> None:
        """See `NodeLink.send`."""
        self.frames.append(frame)

    def close(self, code: int, reason: str) -> None:
        """See `NodeLink.close`."""


class _Walk:
    """A core, two nodes, and what may happen to them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.now = 0.0
        self.ids = 0
        self.runner = _Runner()
        self.core = RouterCore(
            Policy(tool_calls_per_minute=0, total_seconds=200),
            rng=rng,
            new_id=self._new_id,
            alias_key=b"k",
            now=0.0,
            tools=self.runner,
        )
        self.relays: list[tuple[Relay, RecordingSink]] = []
        for number in range(2):
            self._join(number)

    def step(self) -> None:
        """Let one thing happen."""
        self.now += self.rng.random() * 5
        act = self.rng.choice(
            [self._ask, self._speak, self._speak, self._end, self._call, self._call]
            + [self._report] * 3
            + [self._leave_chat, self._fail, self._rejoin, self._sweep]
        )
        act()
        self.check()

    def check(self) -> None:
        """Compare the tables with each other, and with what the sinks heard."""
        running = [relay for node in self.core.registry for relay in node.in_flight.values()]
        assert len(set(map(id, running))) == len(running)
        queued = [relay for entry in self.core.registry.models.values() for relay in entry.queue]
        assert set(map(id, running + queued)) == set(map(id, self.core.life.active))
        jobs = [r.tool_use.job for r in running if r.tool_use and r.tool_use.job]
        assert not set(map(id, jobs)) & set(map(id, self.runner.cancelled))
        for relay, sink in self.relays:
            assert len(sink.endings) <= 1
            assert relay.tool_use is None or relay.tool_use.calls <= 8
            assert relay.tool_use is None or relay.tool_use.rounds <= 5

    def finish(self) -> None:
        """Let time end everything; nothing may be left."""
        self.core.drain()
        self.core.end_all(self.now)
        for node in self.core.registry:
            assert not node.in_flight
        assert not self.core.life.active
        for place, report in self.runner.waiting:
            report(place, "late", self.now)
        assert all(len(sink.endings) + sink.aborts <= 1 for _, sink in self.relays)

    def _new_id(self) -> str:
        self.ids += 1
        return f"r{self.ids}"

    def _join(self, number: int) -> None:
        capabilities = ("completion", "tools") if number else ("completion",)
        register = Register(
            node_id=f"n{number}",
            models=(OfferedModel(name="m", size=1, capabilities=capabilities),),
            features=frozenset({CANCEL_ACK}) if number else frozenset(),
            secret="s",
        )
        self.core.node_registered(register, _Link(), self.now)

    def _ask(self) -> None:
        sink = RecordingSink()
        request = InferenceRequest(
            model="m", messages=({"role": "user", "content": "x"},), client="c", server_tools=_TOOLS
        )
        if len(self.core.registry):
            self.relays.append((self.core.submit(request, sink, self.now), sink))

    def _some_running(self) -> Relay | None:
        running = [relay for node in self.core.registry for relay in node.in_flight.values()]
        return self.rng.choice(running) if running else None

    def _send(self, chunk: dict[str, object]) -> None:
        relay = self._some_running()
        # A node does not know the id of a round that has not been sent to it.
        if relay is not None and not relay.calls_tools:
            assert relay.node is not None
            self.core.answers.chunk(relay.node, relay.request_id, chunk, self.now)

    def _speak(self) -> None:
        self._send(
            {"message": {"content": self.rng.choice(["a", "<b", "<tool_call>{"])}, "done": False}
        )

    def _end(self) -> None:
        self._send({"message": {"content": "."}, "done": True, "eval_count": 1})

    def _call(self) -> None:
        calls = self.rng.choices(_CALLS, k=self.rng.randint(1, 4))
        text = '<tool_call>{"name": "current_time", "arguments": {}}</tool_call>'
        message: dict[str, object] = {"content": text}
        if self.rng.random() < 0.5:
            message = {"content": "", "tool_calls": calls}
        self._send({"message": message, "done": True})

    def _report(self) -> None:
        if self.runner.waiting:
            at = self.rng.randrange(len(self.runner.waiting))
            place, report = self.runner.waiting[at]
            if self.rng.random() < 0.8:
                del self.runner.waiting[at]
            report(place, "result", self.now)

    def _leave_chat(self) -> None:
        if self.relays:
            self.core.life.consumer_left(self.rng.choice(self.relays)[0], self.now)

    def _fail(self) -> None:
        relay = self._some_running()
        if relay is not None and not relay.calls_tools:
            assert relay.node is not None
            self.core.answers.failed(relay.node, relay.request_id, self.now)

    def _rejoin(self) -> None:
        number = self.rng.randrange(2)
        node = next((n for n in self.core.registry if n.node_id == f"n{number}"), None)
        if node is None:
            self._join(number)
        elif self.rng.random() < 0.2:
            self.core.node_left(node, self.now)

    def _sweep(self) -> None:
        for node in self.core.registry:
            self.core.heartbeat(node, Heartbeat(), self.now)
        self.core.deadlines.sweep(self.now)


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_run_twice_or_left_over(seed: int) -> None:
    """A19, A22: one end for each request, one cancel for each job, no slot lost."""
    walk = _Walk(random.Random(seed))
    for _ in range(300):
        walk.step()
    assert walk.runner.started > 3
    walk.finish()
