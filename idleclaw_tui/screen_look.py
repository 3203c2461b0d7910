"""The look of the running screen: its theme and its motion, kept whenever they change."""

import asyncio
from collections.abc import Callable, Mapping

from textual.app import App
from textual.theme import Theme

from idleclaw_tui.screen_settings import Remember, ScreenSettings
from idleclaw_tui.settings_file import SettingsNotSaved
from idleclaw_tui.themes import DARK, LIGHT, theme_at_start


class ScreenLook:
    """Applies `settings` to the app and hands each later choice to `remember`, in a thread.

    `say` is told, in a sentence, what could not be kept.
    """

    def __init__(
        self,
        app: App[None],
        settings: ScreenSettings,
        remember: Remember | None,
        say: Callable[[str], None],
    ) -> None:
        self._app = app
        self._settings = settings
        self._remember = remember
        self._say = say
        self._theme = ""

    def start(self, environ: Mapping[str, str]) -> None:
        """Show the remembered look, and follow what the person makes of it.

        Under `NO_COLOR` there are only themes in true colours: the terminal's own sixteen cannot
        be turned into readable greys.
        """
        for theme in (DARK, LIGHT):
            self._app.register_theme(theme)
        if environ.get("NO_COLOR"):
            for name, theme in self._app.available_themes.items():
                if theme.ansi:
                    self._app.unregister_theme(name)
        name = theme_at_start(environ, self._settings.theme)
        self._theme = name if name in self._app.available_themes else DARK.name
        self._app.theme = self._theme
        if self._settings.reduced_motion:
            self._app.animation_level = "none"
        self._app.theme_changed_signal.subscribe(self._app, self._theme_changed)

    def switch_motion(self) -> None:
        """Let things glide and the cursor blink, or no longer."""
        reduced = self._app.animation_level != "none"
        self._app.animation_level = "none" if reduced else "full"
        self._keep(self._settings.model_copy(update={"reduced_motion": reduced}))
        self._say(f"Reduced motion is {'on' if reduced else 'off'}.")

    def _theme_changed(self, theme: Theme) -> None:
        if theme.name != self._theme:
            self._theme = theme.name
            self._keep(self._settings.model_copy(update={"theme": theme.name}))

    def _keep(self, settings: ScreenSettings) -> None:
        if self._remember is not None and settings != self._settings:
            self._app.run_worker(self._write(self._remember, settings), exit_on_error=False)
        self._settings = settings

    async def _write(self, remember: Remember, settings: ScreenSettings) -> None:
        try:
            await asyncio.to_thread(remember, settings)
        except SettingsNotSaved as error:
            self._say(str(error))
