"""What is a model's own weakness, as far as it can be known."""

import pytest

from idleclaw_server.pass_rates import MAX_SUBJECTS, MAX_VOTERS, PassRates, Voter
from idleclaw_server.probe_questions import KINDS, ProbeKind


def _voter(name: str, address: str | None = None) -> Voter:
    return Voter(name.encode(), address or f"at {name}")


def _rates(kind: ProbeKind, votes: dict[Voter, str]) -> PassRates:
    """Return a table in which each voter has given its answers, "+" or "-"."""
    rates = PassRates()
    for voter, answers in votes.items():
        for answer in answers:
            rates.record("m", kind, voter, right=answer == "+")
    return rates


_ME = _voter("me")
_RIGHT, _WRONG = "+" * 12, "-" * 12


@pytest.mark.parametrize(("kind", "usual"), [(k, 0.7 if k == "copying" else None) for k in KINDS])
def test_alone_only_copying_is_expected_of_a_model(kind: ProbeKind, usual: float | None) -> None:
    assert PassRates().expected("m", kind, _ME) == usual
    two = _rates(kind, {_voter("a"): _RIGHT, _voter("b"): _RIGHT})
    assert two.expected("m", kind, _ME) == usual
    barely = _rates(kind, {_voter(name): "++" for name in "abcd"})
    assert barely.expected("m", kind, _ME) == usual


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_mostly_do_is_expected(kind: ProbeKind) -> None:
    """A6: a smaller model in the place of a larger one shows in what the others can."""
    rates = _rates(kind, {_voter(name): _RIGHT for name in "abc"})
    assert rates.expected("m", kind, _ME) == pytest.approx(13 / 14)
    assert rates.expected("another", kind, _ME) == (0.7 if kind == "copying" else None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_mostly_fail_is_the_models_fault(kind: ProbeKind) -> None:
    rates = _rates(kind, {_voter(name): _WRONG for name in "abc"})
    assert rates.expected("m", kind, _ME) is None


def test_the_own_answers_do_not_count() -> None:
    moved = [_voter("me", f"address {number}") for number in range(5)]
    neighbours = [_voter(name, _ME.address) for name in "abc"]
    two = [_voter(name) for name in "de"]
    rates = _rates("copying", dict.fromkeys([*moved, *neighbours, *two], _WRONG))
    assert rates.expected("m", "copying", _ME) == 0.7


def test_an_address_has_one_vote() -> None:
    rates = _rates("copying", {_voter(name, "one address"): _WRONG for name in "abcdef"})
    assert rates.expected("m", "copying", _ME) == 0.7


def test_liars_cannot_raise_the_bar_over_a_quarter_of_honest_nodes() -> None:
    """A6: who has a larger model than they say cannot drive out those who tell the truth."""
    liars = {_voter(f"liar {number}"): _RIGHT for number in range(6)}
    honest = {_voter(f"honest {number}"): "+-------" for number in range(2)}
    assert _rates("arithmetic", {**liars, **honest}).expected("m", "arithmetic", _ME) is None


def test_newer_answers_weigh_more() -> None:
    rates = _rates("arithmetic", {_voter(name): "-" * 30 + "+" * 60 for name in "abc"})
    expected = rates.expected("m", "arithmetic", _ME)
    assert expected is not None
    assert expected > 0.8


def test_the_table_is_bounded() -> None:
    """A26: a thousand identities and as many invented models."""
    rates = PassRates()
    for number in range(3_000):
        rates.record(f"m{number}", "copying", _ME, right=True)
        for _ in range(3):
            rates.record("m", "copying", _voter(f"v{number}"), right=False)
    assert len(rates) == MAX_SUBJECTS
    assert len(rates.rates_of_others("m", "copying", _ME)) == MAX_VOTERS
