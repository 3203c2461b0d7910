"""Every error is one line that says what is and what to do next."""

import pytest

from idleclaw_tui.errors import (
    IdleClawError,
    NoNode,
    NotARouter,
    OllamaUnreachable,
    RateLimited,
    RouterBusy,
    RouterRefused,
    RouterUnreachable,
    UsageError,
)
from idleclaw_tui.exit_codes import ExitCode

HERE, THERE = "http://127.0.0.1:8000", "https://api.example.org"


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (RouterUnreachable(HERE, "refused"), "Is idleclaw-server running?", 3),
        (RouterUnreachable(THERE, "refused"), "your internet connection.", 3),
        (RouterUnreachable(THERE, "name"), "cannot be found. Check the address", 3),
        (RouterUnreachable(THERE, "timeout"), "Try again in a moment.", 3),
        (RouterUnreachable(THERE, "tls"), "its certificate is not valid", 3),
        (RouterUnreachable(THERE, "proxy"), "NO_PROXY", 3),
        (RouterUnreachable(THERE, "broken"), "broke. Try again", 3),
        (NotARouter(THERE, "it has no /health"), "is no IdleClaw router: it has no /health.", 3),
        (RouterRefused(400, "Not allowed"), "The router refused: Not allowed.", 1),
        (RouterRefused(502), "HTTP status 502. Try again in a moment.", 1),
        (RateLimited(429, retry_after=3), "this address. Try again in 3 s.", 5),
        (RateLimited(429), "Try again in a moment.", 5),
        (RouterBusy(503, "Full.", retry_after=2), "Full. Try again in 2 s.", 4),
        (RouterBusy(503), "All nodes that could answer are busy. Try again", 4),
        (NoNode("a:1b", nearest=("a:2b",)), "No node offers a:1b now. Near it: a:2b.", 4),
        (NoNode("a:1b", models=("y", "z")), "Online now: y, z.", 4),
        (NoNode("a:1b", models=tuple("vwxyz")), "`idleclaw-tui status` lists", 4),
        (NoNode("a:1b"), "share your own", 4),
        (OllamaUnreachable("http://x:1"), "Start it with `ollama serve`", 7),
        (UsageError("No."), "No.", 2),
    ],
)
def test_lines_and_codes(error: IdleClawError, line: str, code: int) -> None:
    assert line in str(error)
    assert str(error).isprintable()
    assert error.exit_code == ExitCode(code)
