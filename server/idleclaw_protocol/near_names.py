"""Which of the models there are resemble a name that nobody has."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

MAX_NEAREST: Final = 3


def nearest_names(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return at most three of `names` that resemble `wanted`, other tags of it first."""
    known = sorted(set(names))
    base = wanted.partition(":")[0]
    same = [name for name in known if name.partition(":")[0] == base]
    similar = get_close_matches(wanted, known, n=MAX_NEAREST, cutoff=0.5)
    return tuple(dict.fromkeys([*same, *similar]))[:MAX_NEAREST]
