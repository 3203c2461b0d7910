"""Questions whose answers the router knows: made when they are asked, from random operands.

They are of the kind that people ask, in several wordings, so that neither a table of answers nor
the look of a question gives one away. Nothing here judges a node: see `standing`.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from idleclaw_server.probe_words import ADJECTIVES, NOUNS, PLACES, VERBS

ProbeKind = Literal["arithmetic", "copying", "transforming"]
KINDS: Final[tuple[ProbeKind, ...]] = ("arithmetic", "copying", "transforming")

_SHARES: Final = (1, 2, 1)
_LENGTHS: Final = (0, 1, 2)
_LENGTH_SHARES: Final = (4, 1, 1)
_VOCABULARY: Final = frozenset((*ADJECTIVES, *NOUNS))

MAX_NUMBERS: Final = 30
"""An answer with more numbers in it may be a list of guesses."""
MAX_STRANGERS: Final = 12
"""Other words of the vocabulary that an answer may hold; one with more may be all of it."""
MAX_WORDS_BESIDE: Final = 60
"""Words that may stand beside a transformed text; models like to chat."""

# Each of them holds for the smallest of models nine times in ten.
_TAKE_UP: Final = (
    "Write a sentence about {}.",
    "Write one sentence in which {} meet.",
    "Describe {} in one sentence.",
    "Make a sentence with these words: {}",
    'Repeat these words: "{}"',
    'Repeat after me: "{}"',
)
_SUMS: Final = (
    "What is {} + {}?",
    "How much is {} plus {}?",
    "Please add {} and {}.",
    "Calculate {} + {} and give me the result.",
)
_DIFFERENCES: Final = ("What is {} - {}?", "How much is {} minus {}?", "Calculate {} - {}.")
_PRODUCTS: Final = ("What is {} * {}?", "How much is {} times {}?", "Multiply {} by {}.")
_CAPITALS: Final = (
    "Write this in capital letters: {}",
    "Convert this sentence to uppercase: {}",
    "Please change the following text to all caps.\n\n{}",
)
_REVERSE: Final = (
    "Write these words in reverse order: {}",
    "Reverse the order of the following words: {}",
)
_SORT: Final = ("Sort these words alphabetically: {}", "Put these in alphabetical order: {}")

_NUMBER: Final = re.compile(r"[0-9]+(?:,[0-9]{3})*")
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Question:
    """One question and an answer to it; `operands` are the words that copying must take up."""

    kind: ProbeKind
    text: str
    answer: str
    operands: tuple[str, ...] = ()

    def answered_by(self, text: str) -> bool:
        """Whether a model's text answers this, and is not merely the question again.

        Copying asks for half of its four operands, in any form that begins alike.
        """
        if self.kind == "arithmetic":
            numbers = [number.replace(",", "") for number in _NUMBER.findall(text)]
            return self.answer in numbers and len(numbers) <= MAX_NUMBERS
        said = _words(text.lower())
        if _contains(said, _words(self.text.lower())):
            return False
        if self.kind == "copying":
            taken = sum(any(word.startswith(own) for word in said) for own in self.operands)
            strangers = _VOCABULARY.intersection(said).difference(self.operands)
            return taken >= len(self.operands) / 2 and len(strangers) <= MAX_STRANGERS
        answer = _words(self.answer)
        exactly = _words(text) if self.answer.isupper() else said
        return _contains(exactly, answer) and len(said) - len(answer) <= MAX_WORDS_BESIDE


@dataclass(frozen=True, slots=True)
class Probe:
    """A question behind none, one or two others that have their answers already."""

    question: Question
    earlier: tuple[Question, ...] = ()

    @property
    def kind(self) -> ProbeKind:
        """What is asked for."""
        return self.question.kind

    def messages(self) -> list[dict[str, str]]:
        """Return the conversation as a consumer would send it."""
        said = []
        for question in self.earlier:
            said.append({"role": "user", "content": question.text})
            said.append({"role": "assistant", "content": question.answer})
        return [*said, {"role": "user", "content": self.question.text}]


def new_probe(rng: random.Random) -> Probe:
    """Make a probe: half of them copying, which every model can, a quarter each of the others."""
    (kind,) = rng.choices(KINDS, _SHARES)
    (length,) = rng.choices(_LENGTHS, _LENGTH_SHARES)
    return Probe(new_question(kind, rng), tuple(new_question(kind, rng) for _ in range(length)))


def new_question(kind: ProbeKind, rng: random.Random) -> Question:
    """Make a question of one kind."""
    return _MAKERS[kind](rng)


def _copying(rng: random.Random) -> Question:
    first, second = rng.sample(ADJECTIVES, 2)
    one, other = rng.sample(NOUNS, 2)
    asked = rng.choice(_TAKE_UP).format(f"the {first} {one} and the {second} {other}")
    answer = f"The {first} {one} {rng.choice(VERBS)} the {second} {other}."
    return Question("copying", asked, answer, (first, one, second, other))


def _arithmetic(rng: random.Random) -> Question:
    operation = rng.randrange(4)
    if operation == 0:
        low, high = sorted(rng.sample(range(11, 1000), 2))
        return _calculation(rng.choice(_DIFFERENCES), high, low, high - low)
    if operation == 1:
        one, other = rng.randint(11, 99), rng.randint(3, 12)
        return _calculation(rng.choice(_PRODUCTS), one, other, one * other)
    one, other = rng.randint(11, 900), rng.randint(11, 900)
    return _calculation(rng.choice(_SUMS), one, other, one + other)


def _calculation(wording: str, one: int, other: int, result: int) -> Question:
    return Question("arithmetic", wording.format(one, other), str(result))


def _transforming(rng: random.Random) -> Question:
    wordings = rng.choice((_CAPITALS, _REVERSE, _SORT))
    if wordings is _CAPITALS:
        text = _sentence(rng)
        return Question("transforming", rng.choice(wordings).format(text), text.upper())
    words = rng.sample(NOUNS, rng.randint(3, 5))
    turned = sorted(words) if wordings is _SORT else words[::-1]
    if turned == words:
        words = words[::-1]
    asked = rng.choice(wordings).format(", ".join(words))
    return Question("transforming", asked, ", ".join(turned))


_MAKERS: Final[dict[ProbeKind, Callable[[random.Random], Question]]] = {
    "arithmetic": _arithmetic,
    "copying": _copying,
    "transforming": _transforming,
}


def _sentence(rng: random.Random) -> str:
    adjective, (one, other) = rng.choice(ADJECTIVES), rng.sample(NOUNS, 2)
    return f"The {adjective} {one} {rng.choice(VERBS)} it {rng.choice(PLACES)} the {other}."


def _words(text: str) -> list[str]:
    return _NO_WORD.sub(" ", text).split()


def _contains(text: list[str], part: list[str]) -> bool:
    return f" {' '.join(part)} " in f" {' '.join(text)} "
