"""The file that keeps what the owner shares; nothing else of this program is stored beside it."""

import os
from pathlib import Path
from typing import Final

import platformdirs
from pydantic import ValidationError
from pydantic_core import to_json

from idleclaw_tui.atomic_file import write_atomically
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.owner.settings import DEFAULT_SETTINGS, SharingSettings, first_problem

MAX_FILE_BYTES: Final = 1024 * 1024


class SettingsNotSaved(IdleClawError):
    """The file at `path` could not be written; the one before it is still there."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"The choice holds until you leave, but could not be kept in {self.path}: {self.why}"


def settings_path() -> Path:
    """Return the file's place in the platform's folder for settings."""
    return platformdirs.user_config_path("idleclaw", appauthor=False) / "sharing.json"


class SettingsFile:
    """The settings in the JSON file at `path`, which need not exist.

    `load` is to be called once, at the edge; what it has to say to the owner is `notice`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice: str | None = None
        """Why the file was not used, and where it is kept; None where all is well."""

    def load(self) -> SharingSettings:
        """Return the settings; a file that cannot be understood is kept aside, for defaults."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return DEFAULT_SETTINGS
        except OSError as error:
            why = error.strerror or "it cannot be opened"
            self.notice = f"{self.path} could not be read ({why}). The defaults are used."
            return DEFAULT_SETTINGS
        try:
            return SharingSettings.model_validate_json(data)
        except ValidationError as error:
            self.notice = f"{self.path} {first_problem(error)}. {self._kept_aside()}"
            return DEFAULT_SETTINGS

    def save(self, settings: SharingSettings) -> None:
        """Replace the file. Raises `SettingsNotSaved`."""
        try:
            write_atomically(self.path, to_json(settings, indent=2) + b"\n")
        except OSError as error:
            raise SettingsNotSaved(self.path, error.strerror or "the disk refused") from None

    def _kept_aside(self) -> str:
        aside = self.path.with_name(f"{self.path.name}.broken")
        try:
            os.replace(self.path, aside)
        except OSError:
            return "The defaults are used."
        return f"It is kept as {aside.name}, and the defaults are used."
