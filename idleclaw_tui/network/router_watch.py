"""Keeps the `NetworkView` of the screen up to date with what the router tells."""

from collections.abc import Callable

from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.network.feed import NetworkFeed, Sight
from idleclaw_tui.network.view import NetworkView, picture_of
from idleclaw_tui.router.protocol import Router


class RouterWatch(NetworkFeed):
    """A `NetworkFeed` into a view; `changed` is called after every look and must not wait."""

    def __init__(
        self,
        router: Router,
        view: NetworkView,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._view = view
        self._clock = clock
        self._changed = changed
        super().__init__(router, self._show, self._show_loss)

    def _show(self, sight: Sight) -> None:
        self._view.saw(picture_of(sight), self._clock())
        self._changed()

    def _show_loss(self, error: IdleClawError, retry_seconds: float, was_live: bool) -> None:
        self._view.lost(str(error), self._clock(), retry_seconds, was_live=was_live)
        self._changed()
