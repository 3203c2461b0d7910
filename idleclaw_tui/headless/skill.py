"""The skill that teaches a coding agent the three modes: printed, or put into a folder."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from idleclaw_tui.atomic_file import write_atomically
from idleclaw_tui.errors import UsageError
from idleclaw_tui.exit_codes import ExitCode

NAME: Final = "idleclaw"


def skill_text() -> str:
    """Return the SKILL.md of this version."""
    return files("idleclaw_tui").joinpath("skill", "SKILL.md").read_text(encoding="utf-8")


def show_or_install(directory: str | None) -> ExitCode:
    """Print the skill, or write it to `directory`/idleclaw/SKILL.md and print that path.

    An older copy there is replaced, nothing else is touched. Raises `UsageError` where the folder
    cannot be written.
    """
    if directory is None:
        sys.stdout.write(skill_text())
        return ExitCode.OK
    target = Path(directory).expanduser() / NAME / "SKILL.md"
    try:
        write_atomically(target, skill_text().encode())
    except OSError as error:
        raise UsageError(
            f"Cannot write {target}: {error.strerror}. Choose another folder with --install."
        ) from error
    sys.stdout.write(f"{target}\n")
    return ExitCode.OK
