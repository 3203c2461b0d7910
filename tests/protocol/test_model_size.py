"""How large a model is, read from strangers' words."""

import pytest

from idleclaw_protocol.model_size import parameters


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("134.52M", 134.52e6),
        ("999.89M", 999.89e6),
        ("8.0B", 8e9),
        ("1t", 1e12),
        ("7", 7),
        ("", None),
        (None, None),
        ("big", None),
        ("B", None),
        ("nanB", None),
        ("1.2.3B", None),
        ("1e9B", None),
        ("9" * 99, None),
    ],
)
def test_the_size_in_ollamas_words(words: str | None, number: float | None) -> None:
    assert parameters(words) == number
