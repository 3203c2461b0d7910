"""The line of keys at the bottom."""

from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer

Keys = tuple[tuple[Binding, bool, str], ...]


class KeyBar(Footer):
    """Textual's footer, built anew only where it is to show other keys.

    Textual builds it, a widget for each key, whenever the focus moves or a state that a key might
    depend on changes.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._keys: Keys | None = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Show the keys that work on `screen` now."""
        keys = tuple(
            (active.binding, active.enabled, active.tooltip)
            for active in screen.active_bindings.values()
            if active.binding.show
        )
        if keys == self._keys or not screen.app.app_focus:
            return
        self._keys = keys
        super().bindings_changed(screen)
