"""Models that a test can read: from the text of a question to an answer."""

import re
from collections.abc import Callable

Model = Callable[[str], str]

_THINGS = re.compile(r"the (\w+) (\w+) and the (\w+) (\w+)")
_NUMBERS = re.compile(r"[0-9]+")


def able(question: str) -> str:
    """Do what is asked, as a large model does."""
    things = _THINGS.search(question)
    if things:
        return f"The {things[1]} {things[2]} met the {things[3]} {things[4]} near the sea."
    numbers = [int(number) for number in _NUMBERS.findall(question)]
    if numbers:
        return f"That is {_calculated(question, *numbers)}."
    _, _, given = question.replace("\n\n", ": ").partition(": ")
    if "capital" in question or "uppercase" in question or "caps" in question:
        return given.upper()
    words = given.split(", ")
    return ", ".join(words[::-1] if "everse" in question else sorted(words))


def small(question: str) -> str:
    """Write about what is asked, but neither calculate nor transform anything."""
    return able(question) if _THINGS.search(question) else "I like the sea."


def rubbish(question: str) -> str:
    """Say the same to everybody."""
    return "As an assistant I am happy to help. What would you like to know today?"


def parrot(question: str) -> str:
    """Give every question back."""
    return question


def _calculated(question: str, one: int, other: int) -> int:
    if re.search(r" - | minus ", question):
        return one - other
    if re.search(r" \* | times |Multiply", question):
        return one * other
    return one + other
