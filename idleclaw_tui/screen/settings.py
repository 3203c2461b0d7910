"""How the screen looks, remembered from one run to the next; never anything that was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from idleclaw_tui.atomic_file import write_atomically
from idleclaw_tui.owner.settings_file import SettingsNotSaved

_MAX_FILE_BYTES: Final = 64 << 10


class ScreenSettings(BaseModel):
    """The look of the screen. A file may hold more, which is dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: Annotated[str, Field(max_length=100)] | None = None
    """The theme's name; None is the default one."""

    reduced_motion: bool = False
    """Whether nothing glides, and the cursor does not blink."""


DEFAULT_LOOK: Final = ScreenSettings()

Remember = Callable[[ScreenSettings], None]
"""Keeps the settings; blocks. Raises `SettingsNotSaved`."""


def screen_settings_path() -> Path:
    """Return the file's place in the platform's folder for settings."""
    return platformdirs.user_config_path("idleclaw", appauthor=False) / "screen.json"


def load_screen_settings(path: Path) -> ScreenSettings:
    """Return what the file at `path` says; the defaults where it is missing or says nothing."""
    try:
        with path.open("rb") as file:
            return ScreenSettings.model_validate_json(file.read(_MAX_FILE_BYTES))
    except (OSError, ValidationError):
        return DEFAULT_LOOK


def save_screen_settings(path: Path, settings: ScreenSettings) -> None:
    """Replace the file at `path`. Raises `SettingsNotSaved`."""
    try:
        write_atomically(path, to_json(settings, indent=2) + b"\n")
    except OSError as error:
        raise SettingsNotSaved(path, error.strerror or "the disk refused") from None
