"""What can be done about a question that no router took."""

import pytest

from idleclaw_tui.answer import Answer
from idleclaw_tui.answer_advice import advice
from idleclaw_tui.errors import (
    IdleClawError,
    NoNode,
    NotARouter,
    RateLimited,
    RouterBusy,
    RouterRefused,
    RouterUnreachable,
)
from idleclaw_tui.failed_asking import MAX_ATTEMPTS, Failure, failure_of


def failed(error: IdleClawError, attempt: int = 0) -> Answer:
    """Return an answer that failed at 100 s."""
    answer = Answer("tiny:1b", 99.0, attempt=attempt)
    answer.fail(error, 100.0)
    return answer


def test_an_unreachable_router_is_asked_again_after_ever_longer_waits() -> None:
    waits = []
    for attempt in range(MAX_ATTEMPTS):
        failure = failure_of(RouterUnreachable("r", "refused"), 0.0, attempt)
        assert failure is not None
        assert failure.repeats
        waits.append(failure.retry_at)
    assert waits == [2, 4, 8, 16, 30, 30, 30, 30, 30, 30]
    last = failure_of(RouterUnreachable("r", "refused"), 0.0, MAX_ATTEMPTS)
    assert last == Failure("unreachable")
    assert not last.repeats


def test_the_countdown_is_said_with_the_key_that_ends_it() -> None:
    answer = failed(RouterUnreachable("http://r", "refused"), attempt=2)
    assert answer.error == (
        "No router answers at http://r. Check the address (--server) and your internet connection."
    )
    assert advice(answer, 100.0) == "retrying in 8 s · esc gives up"
    assert advice(answer, 107.5) == "retrying now · esc gives up"
    assert answer.failure is not None
    answer.failure = answer.failure.given_up()
    assert advice(answer, 200.0) == "^r again"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            RateLimited(429, retry_after=30),
            "The router has had too many requests from this address.",
        ),
        (RouterBusy(503, "All nodes are busy", retry_after=30), "All nodes are busy."),
    ],
)
def test_a_wait_that_the_router_asks_for_counts_down_and_then_offers(
    error: RouterRefused, sentence: str
) -> None:
    answer = failed(error)
    assert answer.error == sentence, "the countdown says when"
    assert advice(answer, 100.0) == "again in 30 s"
    assert advice(answer, 129.2) == "again in 1 s"
    assert advice(answer, 130.0) == "^r again now"
    assert answer.failure is not None
    assert not answer.failure.repeats, "the router counts the attempts"


@pytest.mark.parametrize(
    ("error", "keys"),
    [
        (RateLimited(429), "^r again"),
        (NoNode("tiny:1b"), "^t another model, then ^r again"),
        (RouterRefused(400, "it was filtered"), "^e edit · ^r again"),
        (NotARouter("r", "it has no /health"), "^e edit · ^r again"),
    ],
)
def test_each_failure_has_its_keys(error: IdleClawError, keys: str) -> None:
    assert advice(failed(error), 100.0) == keys


def test_an_answer_that_ended_before_does_not_fail_any_more() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.end("stopped", 1.0)
    answer.fail(RouterUnreachable("r", "broken"), 2.0)
    assert (answer.outcome, answer.failure) == ("stopped", None)
