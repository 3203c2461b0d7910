"""Where cursor and scroll of a table are after its rows changed: with their keys."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class View(NamedTuple):
    """The places of the row under the cursor and of the first row on the screen."""

    cursor: int
    top: int


def held(view: View, before: Sequence[str], after: Sequence[str], lines: int) -> View:
    """Return the view that keeps what the person sees where it is, `lines` rows on the screen.

    `before` and `after` are the keys of the rows. The row under the cursor keeps its line or, if it
    was not on the screen, the first row that was. Where the cursor's row went, the next one that is
    left takes the cursor, or the last one before. The top may lie outside of what there is.
    """
    places = {key: place for place, key in enumerate(after)}
    cursor = _survivor(before, view.cursor, places)
    if view.top <= view.cursor < view.top + lines:
        return View(cursor, view.top + cursor - view.cursor)
    first = _first_left(before, view.top, places)
    if first is None:
        return View(cursor, view.top)
    return View(cursor, view.top + places[before[first]] - first)


def _first_left(before: Sequence[str], place: int, places: Mapping[str, int]) -> int | None:
    return next((at for at in range(place, len(before)) if before[at] in places), None)


def _survivor(before: Sequence[str], place: int, places: Mapping[str, int]) -> int:
    at = _first_left(before, place, places)
    if at is not None:
        return places[before[at]]
    earlier = (before[at] for at in range(min(place, len(before)) - 1, -1, -1))
    return next((places[key] for key in earlier if key in places), 0)
