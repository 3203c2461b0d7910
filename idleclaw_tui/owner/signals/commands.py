"""Asking the system's own programs, with a limit on time and on what they may answer."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

TIMEOUT_SECONDS: Final = 2.0
MAX_OUTPUT_CHARS: Final = 1024 * 1024


def output(command: Sequence[str]) -> str | None:
    """Return what a program prints; None where it is missing, fails, or takes over two seconds."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[:MAX_OUTPUT_CHARS].decode(errors="replace")
