"""What the router thinks of one node identity: how reliable it is, and how honest.

Two numbers, because they have different causes. An honest machine may be switched off in the
middle of every answer, and one that makes its answers up may never miss a request. Reliability
comes from every request and has a say in the choice of a node; honesty comes from checked answers
alone, and where it is used up the node gets no requests.
"""

import hashlib
from collections import OrderedDict
from typing import Final

from idleclaw_protocol.frames import Register
from idleclaw_protocol.limits import MAX_MODELS_PER_NODE
from idleclaw_server.speeds import MovingAverage

NEUTRAL: Final = 0.5
"""The honesty of an identity that nobody has checked."""
CREDIT: Final = 0.1
"""What a right answer adds, up to 1."""
BACK_AT: Final = 0.25
"""Honesty from which a node that was out gets requests again."""
MAX_LOSS: Final = 0.25
_LOSS_SCALE: Final = 0.05
_ENOUGH_CHECKS: Final = 10


def identity_of(register: Register) -> bytes:
    """Return who a node is over its connections: its node_id with the secret it brings, hashed.

    Whoever knows a node_id alone is somebody else, and can neither use a record nor spoil it.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in (register.node_id, register.secret or ""):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.digest()


class Standing:
    """The record of one identity, which outlives its connections.

    Both numbers run from 0 to 1. `checks` counts the answers that were checked.
    """

    __slots__ = ("_by_model", "checks", "honesty", "is_out")

    def __init__(self) -> None:
        self.honesty = NEUTRAL
        self.is_out = False
        self.checks = 0
        self._by_model: OrderedDict[str, MovingAverage] = OrderedDict()

    @property
    def reliability(self) -> float:
        """The share of requests that were answered, recent ones first, over all models."""
        known = [average.value for average in self._by_model.values() if average.value is not None]
        return sum(known) / len(known) if known else 1.0

    def reliability_with(self, model: str) -> float:
        """Return the same for one model: a broken model must not speak for the others."""
        average = self._by_model.get(model)
        return 1.0 if average is None or average.value is None else average.value

    def count_request(self, model: str, *, answered: bool) -> None:
        """Learn from a request; the models used last are kept, as many as a node may offer."""
        average = self._by_model.setdefault(model, MovingAverage(1.0))
        self._by_model.move_to_end(model)
        average.add(1.0 if answered else 0.0)
        if len(self._by_model) > MAX_MODELS_PER_NODE:
            self._by_model.popitem(last=False)

    @property
    def is_proven(self) -> bool:
        """Whether enough answers were checked, and were right often enough, to check fewer."""
        return self.checks >= _ENOUGH_CHECKS and self.honesty > NEUTRAL

    @property
    def is_spotless(self) -> bool:
        """Whether an identity without any record would be thought of no better."""
        return self.honesty >= NEUTRAL

    def passed(self) -> None:
        """Take in a checked answer that was right."""
        self._checked(CREDIT)

    def failed(self, loss: float) -> None:
        """Take in one that was wrong and costs `loss` (0 or more)."""
        self._checked(-loss)

    def _checked(self, change: float) -> None:
        self.checks += 1
        # Rounded, so that ten times a tenth is all of it.
        self.honesty = round(min(1.0, max(0.0, self.honesty + change)), 9)
        self.is_out = self.honesty < BACK_AT if self.is_out else self.honesty <= 0


def loss_of(pass_rate: float | None) -> float:
    """Return what a wrong answer costs where honest nodes are right with chance `pass_rate`.

    At most 0.25, and always so little that an honest node rises on average; None costs nothing.
    """
    if pass_rate is None:
        return 0.0
    wrong = max(1.0 - pass_rate, 1e-9)
    return min(MAX_LOSS, _LOSS_SCALE * pass_rate / wrong)
