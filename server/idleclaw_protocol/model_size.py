"""How large a model is, in the words of Ollama."""

import re
from typing import Final

_SIZE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([KMBT]?)")
_UNITS: Final = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def parameters(size: str | None) -> float | None:
    """Return the number of parameters for Ollama's `parameter_size`, like "134.52M" or "8.0B".

    None where it says nothing, or nothing of that form.
    """
    match = _SIZE.fullmatch((size or "").strip().upper())
    return None if match is None else float(match[1]) * _UNITS[match[2]]
