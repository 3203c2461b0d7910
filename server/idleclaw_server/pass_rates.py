"""How often nodes answer a kind of question rightly with a model: what is its own weakness.

A model that cannot add is no fault of its node. Whether it cannot is seen from the others that
offer it; what each of them may say is bounded, because they may lie as well.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

from idleclaw_server.probe_questions import ProbeKind

MAX_SUBJECTS: Final = 1_024
"""Pairs of a model and a kind; the one checked longest ago is forgotten."""
MAX_VOTERS: Final = 24
"""Identities remembered for each pair; the one checked longest ago is forgotten."""
ENOUGH_VOTERS: Final = 3
_ENOUGH_CHECKS: Final = 3
_MAX_CHECKS: Final = 20
_MOSTLY_RIGHT: Final = 0.8
_MOSTLY_WRONG: Final = 0.5
_USUAL: Final[dict[ProbeKind, float]] = {"copying": 0.7}
"""What is expected where too few others say anything; nothing of kinds that are not here."""


class Voter(NamedTuple):
    """Whose answer it was; voters of one address have one vote together."""

    identity: bytes
    address: str


@dataclass(slots=True)
class _Vote:
    address: str
    right: float = 0.0
    checked: float = 0.0

    def add(self, right: bool) -> None:
        if self.checked >= _MAX_CHECKS:
            self.right /= 2
            self.checked /= 2
        self.right += right
        self.checked += 1

    @property
    def rate(self) -> float:
        # Laplace's rule: no rate is ever quite 0 or 1.
        return (self.right + 1) / (self.checked + 2)


_Votes = OrderedDict[bytes, _Vote]


class PassRates:
    """Votes by model and kind of question."""

    def __init__(self) -> None:
        self._subjects: OrderedDict[tuple[str, ProbeKind], _Votes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._subjects)

    def record(self, model: str, kind: ProbeKind, voter: Voter, *, right: bool) -> None:
        """Take in one checked answer."""
        votes = self._subjects.setdefault((model, kind), _Votes())
        self._subjects.move_to_end((model, kind))
        vote = votes.setdefault(voter.identity, _Vote(voter.address))
        votes.move_to_end(voter.identity)
        vote.address = voter.address
        vote.add(right)
        if len(votes) > MAX_VOTERS:
            votes.popitem(last=False)
        if len(self._subjects) > MAX_SUBJECTS:
            self._subjects.popitem(last=False)

    def expected(self, model: str, kind: ProbeKind, voter: Voter) -> float | None:
        """Return how often an honest node would be right, None where nothing can be expected.

        Only what others were seen to do counts, at other addresses. Where three quarters of them
        are mostly right, that is the model's way: a quarter of honest nodes with a weak model is
        enough to keep liars from raising the bar. Where three quarters are mostly wrong, the model
        is to blame. Otherwise copying is expected of any model, and nothing else is.
        """
        rates = self.rates_of_others(model, kind, voter)
        if len(rates) >= ENOUGH_VOTERS and rates[_quarter(rates)] >= _MOSTLY_RIGHT:
            return rates[_quarter(rates)]
        sure = self.rates_of_others(model, kind, voter, checks=_ENOUGH_CHECKS)
        if len(sure) >= ENOUGH_VOTERS and sure[-1 - _quarter(sure)] < _MOSTLY_WRONG:
            return None
        return _USUAL.get(kind)

    def rates_of_others(
        self, model: str, kind: ProbeKind, voter: Voter, checks: int = 1
    ) -> list[float]:
        """Return, sorted, how often others were right that were checked so many times or more.

        Who was checked less than three times is not yet mostly right, whatever the answers were.
        """
        votes = self._subjects.get((model, kind)) or _Votes()
        by_address = {
            vote.address: vote.rate
            for identity, vote in votes.items()
            if identity != voter.identity
            and vote.address != voter.address
            and vote.checked >= checks
        }
        return sorted(by_address.values())


def _quarter(rates: list[float]) -> int:
    return (len(rates) - 1) // 4
