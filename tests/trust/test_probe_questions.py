"""A6: questions whose answers are known, and answers that are only made to look right."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.probe_questions import KINDS, ProbeKind, new_probe, new_question
from idleclaw_server.probe_words import ADJECTIVES, NOUNS
from tests.trust import models

_SEEDS = st.integers(0, 2**32)
_KINDS = pytest.mark.parametrize("kind", KINDS)


@_KINDS
@given(_SEEDS)
def test_the_own_answer_and_an_able_model_are_right(kind: ProbeKind, seed: int) -> None:
    question = new_question(kind, random.Random(seed))
    assert question.answered_by(question.answer)
    assert question.answered_by(f"Sure! {question.answer} Is there anything else?")
    assert question.answered_by(models.able(question.text))


@_KINDS
@given(_SEEDS)
def test_what_answers_no_question_is_wrong(kind: ProbeKind, seed: int) -> None:
    question = new_question(kind, random.Random(seed))
    for text in ("", " ", models.parrot(question.text), models.parrot(question.text) + " Yes."):
        assert not question.answered_by(text)


@_KINDS
def test_an_answer_to_another_question_is_wrong(kind: ProbeKind) -> None:
    rng = random.Random(3)
    questions = [new_question(kind, rng) for _ in range(300)]
    passed = sum(q.answered_by(other.answer) for q, other in pairwise(questions))
    passed += sum(q.answered_by(models.rubbish(q.text)) for q in questions)
    assert passed <= 3


@given(_SEEDS)
def test_saying_everything_is_wrong(seed: int) -> None:
    rng = random.Random(seed)
    everything = " ".join([*ADJECTIVES, *NOUNS])
    assert not new_question("copying", rng).answered_by(everything)
    assert not new_question("transforming", rng).answered_by(everything + everything.upper())
    numbers = " ".join(map(str, range(2000)))
    assert not new_question("arithmetic", rng).answered_by(numbers)


@given(st.text(max_size=300), _SEEDS)
def test_any_text_can_be_judged(text: str, seed: int) -> None:
    new_probe(random.Random(seed)).question.answered_by(text)


def test_a_sentence_may_be_put_in_other_words() -> None:
    question = next(
        question
        for seed in range(1000)
        if (question := new_question("copying", random.Random(seed))).operands[1] == "dog"
    )
    first, _, second, other = question.operands
    assert question.answered_by(f"Two dogs ran away from something {second.upper()}.")
    assert not question.answered_by("Two dogs ran away.")
    assert question.answered_by(f"It was {first}, unlike the {other}.")


def test_questions_do_not_repeat() -> None:
    rng = random.Random(5)
    texts = {new_probe(rng).question.text for _ in range(2_000)}
    assert len(texts) > 1_950


@given(_SEEDS)
def test_a_probe_is_a_conversation_like_any_other(seed: int) -> None:
    """The router's filters leave its answers alone, so none of them is blamed on a node."""
    probe = new_probe(random.Random(seed))
    messages = probe.messages()
    assert [m["role"] for m in messages] == [*["user", "assistant"] * len(probe.earlier), "user"]
    assert messages[-1]["content"] == probe.question.text
    assert all(0 < len(m["content"]) <= MAX_MESSAGE_CHARS for m in messages)
    cleaner = AnswerFilter()
    assert cleaner.decode(probe.question.answer) + cleaner.flush() == probe.question.answer


def test_half_of_the_probes_ask_what_every_model_can() -> None:
    rng = random.Random(1)
    kinds = [new_probe(rng).kind for _ in range(2_000)]
    assert 900 < kinds.count("copying") < 1_100
    assert all(kinds.count(kind) > 400 for kind in KINDS)
