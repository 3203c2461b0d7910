"""Token buckets, one a key, in a table that cannot grow beyond its bound."""

from collections import OrderedDict
from typing import Final

_SECONDS_PER_MINUTE: Final = 60.0
MAX_KEYS: Final = 20_000


class TokenBuckets:
    """Allows each key `per_minute` events a minute; 0 allows everything.

    A key that has been quiet may have `burst` events at once, by default those of a minute.

    The `max_keys` keys seen last are remembered. Whoever is forgotten starts with a full bucket,
    which all but those who ask constantly have anyway.
    """

    __slots__ = ("_buckets", "_capacity", "_max_keys", "_rate")

    def __init__(self, per_minute: int, burst: int | None = None, max_keys: int = MAX_KEYS) -> None:
        self._capacity = float(per_minute if burst is None else burst)
        self._rate = per_minute / _SECONDS_PER_MINUTE
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now: float) -> float:
        """Take a token and return 0.0, or return the seconds until there will be one.

        `now` is in seconds of a clock that never goes back.
        """
        if not self._rate:
            return 0.0
        tokens = self._tokens(key, now)
        wait = self._wait(tokens)
        self._buckets[key] = (tokens if wait else tokens - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return wait

    def seconds_until_free(self, key: str, now: float) -> float:
        """Return what `take` would, and take nothing."""
        return self._wait(self._tokens(key, now)) if self._rate else 0.0

    def _tokens(self, key: str, now: float) -> float:
        tokens, seen_at = self._buckets.get(key, (self._capacity, now))
        return min(self._capacity, tokens + (now - seen_at) * self._rate)

    def _wait(self, tokens: float) -> float:
        return 0.0 if tokens >= 1 else (1 - tokens) / self._rate
