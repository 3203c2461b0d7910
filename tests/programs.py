"""Programs of the system that some tests drive."""

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """Return the path of a program; without it skip the test, or fail it where CI=true."""
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"{name} is not installed (on Debian: apt-get install {name})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
