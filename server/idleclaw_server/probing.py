"""Asks nodes questions whose answers are known, between the requests of consumers.

To a node a probe is a chat: the same words before it, the same tools, a plain id, an end like any
other; so it is to everybody who reads the public counters. A node that has anything to do is left
alone, and a probe ends where a request comes for its node.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from idleclaw_server.chat_rules import ChatRules
from idleclaw_server.core import RouterCore
from idleclaw_server.node import Node
from idleclaw_server.pass_rates import PassRates, Voter
from idleclaw_server.probe_answer import ProbeAnswer
from idleclaw_server.probe_questions import Probe, ProbeKind, new_probe
from idleclaw_server.probe_schedule import (
    MAX_PROBES,
    asks_to_think,
    draws,
    is_due,
    model_to_ask,
    pause,
)
from idleclaw_server.relay import Relay
from idleclaw_server.standing import loss_of

Outcome = Literal["right", "wrong", "unanswered", "gave_way"]

_PROBE_SECONDS: Final = 300.0
_TRIES: Final = 3


@dataclass(slots=True)
class _Running:
    node: Node
    relay: Relay
    probe: Probe
    started_at: float
    answer: ProbeAnswer = field(default_factory=ProbeAnswer)


class Probing:
    """The probes of one router; `mean_seconds` is the time between two of a proven node.

    At most 8 run at the same time, each for at most 300 seconds. Nothing waits or raises here:
    `tick` does all that is due.

    Attributes:
        outcomes: how many probes of each kind ended how.
    """

    def __init__(
        self, core: RouterCore, rules: ChatRules, mean_seconds: float, rng: random.Random
    ) -> None:
        self._core = core
        self._rules = rules
        self._mean_seconds = mean_seconds
        self._rng = rng
        self._running: list[_Running] = []
        self._rates = PassRates()
        self._ticked_at: float | None = None
        self.outcomes: Counter[tuple[ProbeKind, str]] = Counter()

    def __len__(self) -> int:
        return len(self._running)

    def pause(self) -> float:
        """Return the seconds until `tick` is to be called again; about one, never the same."""
        return pause(self._rng)

    def tick(self, now: float, today: date) -> None:
        """Judge what was answered, and start what chance says."""
        self._collect(now)
        passed = 0.0 if self._ticked_at is None else now - self._ticked_at
        self._ticked_at = now
        nodes = list(self._core.registry)
        for _ in range(draws(len(nodes), self._mean_seconds, passed, self._rng)):
            node = self._rng.choice(nodes)
            if is_due(node.standing, self._rng):
                self.start(node, now, today)

    def start(self, node: Node, now: float, today: date) -> bool:
        """Probe a node; tell whether it was idle and there was room for another probe."""
        model = model_to_ask(node, self._rng)
        probe = self._harmless_probe()
        if model is None or probe is None or len(self._running) >= MAX_PROBES:
            return False
        request = self._rules.request(
            model,
            probe.messages(),
            client="",
            think=asks_to_think(node, model, self._rng),
            today=today,
        )
        answer = ProbeAnswer()
        relay = self._core.probe(node, request, answer, now)
        if relay is None:
            return False
        self._running.append(_Running(node, relay, probe, now, answer))
        return True

    def cancel_all(self, now: float) -> None:
        """End every probe that runs, without judging it."""
        for running in self._running:
            self._core.life.consumer_left(running.relay, now)
            self.outcomes[running.probe.kind, "gave_way"] += 1
        self._running.clear()

    def _harmless_probe(self) -> Probe | None:
        """Make a probe whose answer the operator's own patterns leave alone, None with bad luck."""
        for _ in range(_TRIES):
            probe = new_probe(self._rng)
            if self._core.cleaned(probe.question.answer) == probe.question.answer:
                return probe
        return None

    def _collect(self, now: float) -> None:
        running, self._running = self._running, []
        for one in running:
            answer = one.answer
            over = answer.cut or answer.ending is not None or answer.is_full
            if not over and now - one.started_at <= _PROBE_SECONDS:
                self._running.append(one)
                continue
            self._core.life.consumer_left(one.relay, now)
            outcome = _outcome(one)
            self.outcomes[one.probe.kind, outcome] += 1
            if outcome in ("right", "wrong"):
                self._judge(one, outcome == "right", now)

    def _judge(self, one: _Running, right: bool, now: float) -> None:
        standing, model, kind = one.node.standing, one.relay.request.model, one.probe.kind
        voter = Voter(one.node.identity, one.node.client.key)
        was_out = standing.is_out
        if right:
            standing.passed()
        else:
            standing.failed(loss_of(self._rates.expected(model, kind, voter)))
        self._rates.record(model, kind, voter, right=right)
        if standing.is_out != was_out:
            self._core.standing_changed(standing, now)


def _outcome(one: _Running) -> Outcome:
    """Tell how a probe ended; what a consumer would be told is an error is judged by nobody.

    An answer that was cut short before its first word says nothing either: the model may think
    for longer than its owner lets it.
    """
    answer = one.answer
    if answer.cut:
        return "gave_way"
    if answer.ending is None and not answer.is_full:
        return "unanswered"
    if answer.ending is not None and (
        answer.ending.reason == "error" or (answer.ending.reason == "length" and not answer.text)
    ):
        return "unanswered"
    return "right" if one.probe.question.answered_by(answer.text) else "wrong"
