"""The exit statuses of `idleclaw-tui`, for scripts that branch on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says when it ends; numbers never change their meaning."""

    OK = 0
    """Done, or the reader of stdout had enough."""

    FAILED = 1
    """Refused or failed for a reason that has no number of its own."""

    USAGE = 2
    """The command line, a variable or the prompt is wrong; nothing was sent."""

    UNREACHABLE = 3
    """No router answers at the address, or what answers there is no router."""

    NO_NODE = 4
    """The router answers, but no node can serve this now: none has the model, or all are busy."""

    RATE_LIMITED = 5
    """The router asks to slow down."""

    CUT = 6
    """The answer began and ended in an error; what came before it was printed."""

    OLLAMA_UNREACHABLE = 7
    """No Ollama answers on this machine."""

    INTERRUPTED = 130
    """Ended by Ctrl+C."""
