"""How many connections the system lets this process hold."""

import sys
from typing import Final

_KEPT_BACK: Final = 64
_UNKNOWN: Final = 10_000


def raise_open_files() -> None:
    """Let this process open as many files as its owner may allow it (getrlimit(2))."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_allowed() -> int:
    """Return how many sockets fit, with some files kept back for everything else."""
    if sys.platform == "win32":
        return _UNKNOWN
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _UNKNOWN
    return max(1, soft - _KEPT_BACK)
