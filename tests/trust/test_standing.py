"""The two numbers of one identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.limits import MAX_MODELS_PER_NODE
from idleclaw_server.standing import BACK_AT, CREDIT, MAX_LOSS, NEUTRAL, Standing, loss_of


def test_nothing_is_known_of_a_new_one() -> None:
    standing = Standing()
    assert (standing.honesty, standing.reliability, standing.checks) == (NEUTRAL, 1.0, 0)
    assert not standing.is_out
    assert not standing.is_proven


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60))
def test_honesty_stays_between_nothing_and_one(answers: list[float | None]) -> None:
    standing = Standing()
    for loss in answers:
        was_out = standing.is_out
        if loss is None:
            standing.passed()
        else:
            standing.failed(loss)
        assert 0 <= standing.honesty <= 1
        assert standing.is_out == (standing.honesty < BACK_AT if was_out else standing.honesty <= 0)
    assert standing.checks == len(answers)


def test_who_is_out_comes_back_with_right_answers() -> None:
    standing = Standing()
    for _ in range(2):
        standing.failed(MAX_LOSS)
    assert standing.is_out
    standing.passed()
    standing.passed()
    assert standing.is_out, "one lucky answer is not enough"
    standing.passed()
    assert not standing.is_out
    assert standing.honesty == pytest.approx(3 * CREDIT)


def test_answering_alone_earns_no_honesty() -> None:
    """A6: no credit for work that nobody checked."""
    standing = Standing()
    for _ in range(100):
        standing.count_request("m", answered=True)
    assert (standing.honesty, standing.checks) == (NEUTRAL, 0)


def test_missing_requests_is_not_dishonest() -> None:
    standing = Standing()
    for _ in range(100):
        standing.count_request("m", answered=False)
    assert standing.reliability < 0.01
    assert standing.honesty == NEUTRAL


def test_a_broken_model_does_not_speak_for_the_others() -> None:
    standing = Standing()
    standing.count_request("good", answered=True)
    for _ in range(50):
        standing.count_request("broken", answered=False)
    assert standing.reliability_with("good") == 1.0
    assert standing.reliability_with("never asked") == 1.0
    assert standing.reliability_with("broken") < 0.01
    assert standing.reliability == pytest.approx(0.5, abs=0.01)


def test_as_many_models_are_remembered_as_a_node_may_offer() -> None:
    standing = Standing()
    standing.count_request("first", answered=False)
    for number in range(MAX_MODELS_PER_NODE):
        standing.count_request(f"m{number}", answered=True)
    assert standing.reliability_with("first") == 1.0
    assert standing.reliability == 1.0


@given(st.floats(0, 1))
def test_an_honest_node_rises_whatever_its_model_can(rate: float) -> None:
    """What is won on average outweighs what is lost, for each chance of being right."""
    loss = loss_of(rate)
    assert 0 <= loss <= MAX_LOSS
    assert rate * CREDIT >= (1 - rate) * loss
    assert loss_of(None) == 0
