"""An App that draws again what Textual would lose.

While a batch is open, `App._display` throws away what it is given, although the compositor already
counts it as drawn. A terminal that is resized in that moment keeps what its old size left behind.
"""

from functools import partial
from typing import Final

from rich.console import RenderableType
from textual.app import App
from textual.screen import Screen

AGAIN_SECONDS: Final = 0.05
"""How long to wait for the end of a batch before looking again."""


class FullDrawingApp(App[None]):
    """Draws the whole screen once more where a drawing fell into a batch."""

    _draws_again = False

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if renderable is not None and self._batch_count and not self._draws_again:
            self._draws_again = True
            self._draw_later(screen)
        super()._display(screen, renderable)

    def _draw_later(self, screen: Screen[object]) -> None:
        self.set_timer(AGAIN_SECONDS, partial(self._draw_again, screen))

    def _draw_again(self, screen: Screen[object]) -> None:
        if self._batch_count:
            self._draw_later(screen)
            return
        self._draws_again = False
        screen.refresh()
