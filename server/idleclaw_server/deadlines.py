"""Everything that happens because time passed, looked at once a second."""

from typing import Final

from idleclaw_server.counters import Counters
from idleclaw_server.endings import cut
from idleclaw_server.node_registry import ModelEntry, NodeRegistry
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Phase, Relay
from idleclaw_server.request_life import RequestLife
from idleclaw_server.speeds import MovingAverage

_STRAY_HALF_LIFE_SECONDS: Final = 10.0


class Deadlines:
    """Ends what takes too long, tells those who wait where they stand, forgets silent nodes."""

    def __init__(
        self, registry: NodeRegistry, life: RequestLife, policy: Policy, counters: Counters
    ) -> None:
        self._registry = registry
        self._life = life
        self._policy = policy
        self._counters = counters
        self._strays_halved_at = 0.0
        self._notices_at = 0.0
        self._swept_at: float | None = None
        self._swept_chunks = 0
        self.chunks_per_second = MovingAverage(0.0)

    def sweep(self, now: float) -> None:
        """Apply every deadline at `now`."""
        self._measure(now)
        for relay in list(self._life.active):
            if relay.phase is Phase.WAITING:
                self._waiting(relay, now)
            elif relay.phase is Phase.RUNNING:
                self._running(relay, now)
            if relay.phase is not Phase.ENDED:
                self._consumer(relay, now)
        for relay in list(self._life.unread):
            self._reader(relay, now)
        self._nodes(now)
        if now - self._notices_at >= self._policy.queue_notice_seconds:
            self._notices_at = now
            for entry in self._registry.models.values():
                self._tell_positions(entry, now)

    def tell_place(self, relay: Relay, now: float) -> None:
        """Tell a request that just began to wait where it stands."""
        entry = self._registry.models[relay.request.model]
        position = next(at for at, other in enumerate(entry.queue, 1) if other is relay)
        relay.notify("queued", position, _eta(position, self.seconds_per_turn(entry)), now)

    def seconds_per_turn(self, entry: ModelEntry) -> float | None:
        """Return how often a slot becomes free: median answer time / slots.

        None with too few samples, and while all nodes with the model pause.
        """
        answer = entry.speed.answer_seconds.percentile(50)
        slots = sum(node.slots for node in entry.usable if node.available)
        return answer / slots if answer is not None and slots else None

    def _waiting(self, relay: Relay, now: float) -> None:
        entry = self._registry.models.get(relay.request.model)
        if relay.tried and entry is not None and not entry.has_untried(relay.tried):
            self._life.fail(relay, "node_lost", now)
        elif relay.tried and now > relay.first_token_limit:
            self._life.fail(relay, "timeout", now)
        elif now - relay.waiting_since > self._policy.queue_seconds:
            self._life.fail(relay, "queue_timeout", now)

    def _running(self, relay: Relay, now: float) -> None:
        if relay.progress != relay.seen:
            relay.seen = relay.progress
            relay.seen_at = now
        if relay.calls_tools:
            relay.seen_at = now
        elif relay.first_token_at is None:
            if now > relay.first_token_deadline:
                self._life.attempt_failed(relay, "timeout", now)
        elif now - relay.seen_at > self._policy.gap_seconds:
            self._life.attempt_failed(relay, "timeout", now)
        if relay.phase is Phase.RUNNING and now - relay.submitted_at > self._policy.total_seconds:
            # It has taken all the time there is for one answer; its text stands.
            end = cut(relay, "seconds", self._policy, now)
            self._life.finish(relay, end, now, ended_by_node=False)

    def _consumer(self, relay: Relay, now: float) -> None:
        if self._reader(relay, now) and now - relay.spoke_at >= self._policy.comment_seconds:
            relay.spoke_at = now
            relay.sink.comment()

    def _reader(self, relay: Relay, now: float) -> bool:
        if relay.sink.stalled_seconds(now) <= self._policy.consumer_stall_seconds:
            return True
        self._life.cut_consumer(relay, now)
        return False

    def _nodes(self, now: float) -> None:
        halve = now - self._strays_halved_at >= _STRAY_HALF_LIFE_SECONDS
        if halve:
            self._strays_halved_at = now
        for node in list(self._registry):
            if halve:
                node.stray_weight //= 2
            if now - node.last_heartbeat > self._policy.heartbeat_timeout_seconds:
                node.link.close(1000, "heartbeat timeout")
                self._life.node_removed(node, self._registry.remove(node), now)
                continue
            expired = [key for key, deadline in node.cancelling.items() if now > deadline]
            for request_id in expired:
                self._life.cancel_confirmed(node, request_id, now)

    def _tell_positions(self, entry: ModelEntry, now: float) -> None:
        if not len(entry.queue):
            return
        turn = self.seconds_per_turn(entry)
        for position, relay in enumerate(list(entry.queue), 1):
            relay.notify("queued", position, _eta(position, turn), now)

    def _measure(self, now: float) -> None:
        if self._swept_at is not None and now > self._swept_at:
            chunks = self._counters.chunks - self._swept_chunks
            self.chunks_per_second.add(chunks / (now - self._swept_at))
        self._swept_at = now
        self._swept_chunks = self._counters.chunks


def _eta(position: int, seconds_per_turn: float | None) -> float | None:
    return None if seconds_per_turn is None else round(position * seconds_per_turn, 1)
