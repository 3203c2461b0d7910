"""A set from which random members are drawn in constant time."""

import random
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class RandomSet(Generic[T]):
    """Members in a list, their places in a dict: add, discard and draw cost O(1)."""

    __slots__ = ("_items", "_places")

    def __init__(self) -> None:
        self._items: list[T] = []
        self._places: dict[T, int] = {}

    def add(self, item: T) -> None:
        """Add `item` unless it is in."""
        if item not in self._places:
            self._places[item] = len(self._items)
            self._items.append(item)

    def discard(self, item: T) -> None:
        """Remove `item` if it is in; the last member takes its place."""
        place = self._places.pop(item, None)
        if place is None:
            return
        last = self._items.pop()
        if place < len(self._items):
            self._items[place] = last
            self._places[last] = place

    def sample(self, rng: random.Random, count: int) -> list[T]:
        """Return `count` different members, or all where there are fewer, in random order."""
        if count >= len(self._items):
            everyone = list(self._items)
            rng.shuffle(everyone)
            return everyone
        return rng.sample(self._items, count)

    def __contains__(self, item: T) -> bool:
        return item in self._places

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
