"""Keys of the person's own, from a file that gives them to the ids of bindings."""

import os
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import platformdirs
from pydantic_core import from_json

from idleclaw_tui.errors import UsageError

KEYMAP_VARIABLE: Final = "IDLECLAW_KEYMAP"
MAX_FILE_BYTES: Final = 64 << 10

_FORM: Final = 'It is a JSON object like {"chat.again": "ctrl+b", "prompt.send": "ctrl+s"}.'


def keymap_path(environ: Mapping[str, str]) -> Path:
    """Return the file that `IDLECLAW_KEYMAP` names, else `keys.json` in the settings' folder."""
    if given := environ.get(KEYMAP_VARIABLE):
        return Path(os.path.expanduser(given))
    return platformdirs.user_config_path("idleclaw", appauthor=False) / "keys.json"


def load_keymap(environ: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Return the keys for ids, of which `known` are all there are; none where there is no file.

    Raises `UsageError` for a file that is named but missing, and for one that is not understood.
    """
    path = keymap_path(environ)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        if environ.get(KEYMAP_VARIABLE):
            raise UsageError(f"{KEYMAP_VARIABLE} names {path}, which is not there.") from None
        return {}
    except OSError as error:
        raise UsageError(f"The keys in {path} cannot be read: {error.strerror}.") from None
    return parse_keymap(data, known, str(path))


def parse_keymap(data: bytes, known: Collection[str], source: str) -> dict[str, str]:
    """Return the keys for ids that `data` holds; several for one id have commas between.

    Raises `UsageError`, which names `source`, for what is no such object and for unknown ids.
    """
    try:
        given = from_json(data) if len(data) <= MAX_FILE_BYTES else None
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise UsageError(f"The keys in {source} are not understood. {_FORM}")
    for name, keys in given.items():
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            hint = f"Did you mean {near[0]}?" if near else "The README lists the names."
            raise UsageError(f"{source} has a key for {name[:80]!a}, which there is not. {hint}")
        if not isinstance(keys, str) or not keys.strip() or not keys.isprintable():
            raise UsageError(f"{source} has no key for {name}. {_FORM}")
    return {name: ",".join(key.strip() for key in keys.split(",")) for name, keys in given.items()}
