"""Writing and reading the files that the person names; nothing else of a chat touches the disk."""

import os
from pathlib import Path

from idleclaw_tui.atomic_file import write_atomically
from idleclaw_tui.chat.export import MAX_FILE_BYTES, Kind, kind_of
from idleclaw_tui.errors import IdleClawError


class FileProblem(IdleClawError):
    """A file could not be written or read; `path` is which, `why` a few words of the system's."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}."


class FileExists(FileProblem):
    """There is such a file already, which was left as it is."""


def named(typed: str) -> Path:
    """Return the path that the person typed; `~` is their own folder.

    Raises `FileProblem` for a name that no system takes and for the folder of nobody.
    """
    typed = typed.strip()
    path = Path(typed)
    if not typed or "\0" in typed:
        raise FileProblem(path if typed else Path("."), "that is no name for a file")
    try:
        return path.expanduser()
    except RuntimeError:
        raise FileProblem(path, "there is no such user") from None


def export_kind(path: Path) -> Kind:
    """Return what to write to `path`. Raises `FileProblem` where its name does not say."""
    kind = kind_of(path.name)
    if kind is None:
        raise FileProblem(path, "end the name in .md for Markdown or .json for JSON")
    return kind


def unused(name: str) -> str:
    """Return `name`, or the first of name-2, name-3 … that the working directory does not have."""
    path = Path(name)
    for number in range(2, 100):
        if not path.exists():
            break
        path = Path(f"{Path(name).stem}-{number}{Path(name).suffix}")
    return path.name


def write_file(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file that only its owner can read.

    Raises `FileExists` where there is one already, unless that is to be replaced, and
    `FileProblem` where the system refuses; what was begun is then taken away again.
    """
    try:
        if replace:
            write_atomically(path, data)
        else:
            _create(path, data)
    except FileExistsError:
        if path.is_dir():
            raise FileProblem(path, "that is a folder") from None
        raise FileExists(path, "there is such a file already") from None
    except OSError as error:
        raise FileProblem(path, _words(error)) from None


def _create(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def read_file(path: Path) -> bytes:
    """Return at most one byte more than a chat may have. Raises `FileProblem`."""
    try:
        if path.exists() and not path.is_file():
            raise FileProblem(path, "that is no file")
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileProblem(path, _words(error)) from None


def _words(error: OSError) -> str:
    said = error.strerror or "the system refuses"
    return said[:1].lower() + said[1:]
