"""How often each model was asked for, in a bounded table."""

from collections import Counter
from typing import Final

OTHER: Final = "other"
MAX_LABELS: Final = 50


class ModelCounts:
    """Counts by name for the 50 models that are asked for most; all the rest is "other".

    Where all places are taken, a new model takes that of the one asked for least, whose count goes
    to "other": the sum never falls.
    """

    def __init__(self) -> None:
        self.by_name: Counter[str] = Counter()

    def add(self, model: str, *, known: bool) -> None:
        """Count a chat; `known` is whether some node offers the model."""
        if not known:
            model = OTHER
        elif model not in self.by_name:
            labels = self.by_name.keys() - {OTHER}
            if len(labels) >= MAX_LABELS:
                least = min(labels, key=self.by_name.__getitem__)
                self.by_name[OTHER] += self.by_name.pop(least)
        self.by_name[model] += 1
