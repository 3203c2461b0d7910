"""Running `idleclaw-tui` in tests: in this process, or as a program of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from idleclaw_tui.cli import main


@dataclass(frozen=True)
class Ran:
    """Exit status and output of a run."""

    code: int
    out: str
    err: str


async def run_main(capsys: pytest.CaptureFixture[str], *argv: str) -> Ran:
    """Run the command line in a thread, beside the fakes on this event loop."""
    code = await asyncio.to_thread(main, argv)
    out, err = capsys.readouterr()
    return Ran(code, out, err)


async def start_program(
    *argv: str, stdout: int = PIPE, environ: Mapping[str, str] | None = None
) -> Process:
    """Start `python -m idleclaw_tui`; the caller ends it."""
    return await start_python("-m", "idleclaw_tui", *argv, stdout=stdout, environ=environ)


async def start_python(
    *argv: str, stdout: int = PIPE, environ: Mapping[str, str] | None = None
) -> Process:
    """Start this Python, without the variables that settings come from."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("IDLECLAW_SERVER", "OLLAMA_HOST")
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        stdin=PIPE,
        stdout=stdout,
        stderr=PIPE,
        env={**inherited, **(environ or {})},
        # Whoever runs the tests in the background may have told all children to ignore Ctrl+C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


async def run_program(*argv: str, stdin: bytes = b"", **environ: str) -> Ran:
    """Run the program to its end, which must come within 30 s."""
    process = await start_program(*argv, environ=environ)
    out, err = await asyncio.wait_for(process.communicate(stdin), 30)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())
