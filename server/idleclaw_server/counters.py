"""Plain integers that the hot path can afford."""

from collections import Counter
from typing import Final

OTHER: Final = "other"
MAX_LABELS: Final = 50


class Counters:
    """What happened since the router started.

    `requests` counts ended requests, `errors` those that ended in an error of the network's own;
    `strays` are frames for requests that did not run at their sender, `malformed` frames or chunks
    of a wrong shape, `consumers_cut` consumers that did not read. `by_model` counts the chats that
    were asked for, by the 50 models that are asked for most; all others are "other".
    `by_response` counts HTTP answers by path pattern and status, which are few.
    """

    __slots__ = (
        "by_model",
        "by_response",
        "cancelled",
        "chunks",
        "consumers_cut",
        "declined",
        "errors",
        "malformed",
        "requests",
        "retries",
        "strays",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.cancelled = 0
        self.declined = 0
        self.retries = 0
        self.chunks = 0
        self.strays = 0
        self.malformed = 0
        self.consumers_cut = 0
        self.by_model: Counter[str] = Counter()
        self.by_response: Counter[tuple[str, int]] = Counter()

    def count_model(self, model: str, *, known: bool) -> None:
        """Count a chat; `known` is whether some node offers the model.

        Where all 50 places are taken, a new model takes that of the one asked for least, whose
        count goes to "other", so that the sum never falls.
        """
        if not known:
            model = OTHER
        elif model not in self.by_model:
            labels = self.by_model.keys() - {OTHER}
            if len(labels) >= MAX_LABELS:
                least = min(labels, key=self.by_model.__getitem__)
                self.by_model[OTHER] += self.by_model.pop(least)
        self.by_model[model] += 1
