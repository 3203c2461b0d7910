"""The README's commands for a machine with nothing but Python and pip, word for word.

They run in a terminal whose `python3` is the machine's own, not that of the tests.
"""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.programs import require_program
from tests.screen.test_tmux import Terminal

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECONDS = 120.0
"""Most that a command may take on a machine with much else to do."""
LOOKS = 900
"""Looks at the terminal, ten a second, before it is given up."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.real_model]


def _commands(marker: str) -> list[str]:
    block = re.search(rf"<!-- {marker} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    return block[1].splitlines()


async def _ran(command: str, environment: Mapping[str, str]) -> tuple[int | None, str, str]:
    """Return exit status, stdout and stderr of a line for the shell, run in the checkout."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=ROOT, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def bare(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of whoever has not entered that of the tests, and has no Ollama."""
    own = Path(sys.prefix, "bin")
    path = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", os.pathsep.join(part for part in path if Path(part) != own))
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    for name in [name for name in os.environ if name.startswith(("VIRTUAL_ENV", "PYTEST_"))]:
        monkeypatch.delenv(name)
    environment = dict(os.environ)
    # Installing is what the commands do; doing it unasked, where nobody has before, is not.
    code, _, err = await _ran("python3 -m pip --version && python3 -m uv --version", environment)
    if code != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"python3 has not both pip and uv: {err.strip()}")
    return environment


@pytest.fixture
async def terminal(bare: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Terminal]:
    """A terminal of 100x30 with a shell in the checkout."""
    terminal = Terminal(require_program("tmux"), tmp_path / "tmux")
    await terminal.run("new-session", "-d", "-x", "100", "-y", "30", "-c", str(ROOT), "sh")
    yield terminal
    await terminal.run("kill-server")


async def _until(terminal: Terminal, what: str) -> None:
    screen = ""
    for _ in range(LOOKS):
        screen = await terminal.screen()
        if what in screen:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"waited for {what!r}, but the terminal shows:\n{screen}")


async def test_the_main_command_opens_a_network_that_answers(terminal: Terminal) -> None:
    (command,) = _commands("main command")
    await terminal.keys(f"{command}; echo ended=$?", "Enter")
    await _until(terminal, "1 node")
    await terminal.keys("Say hello", "Enter")
    await _until(terminal, "✓ ")
    await terminal.keys("C-q")
    await _until(terminal, "Leave IdleClaw")
    await terminal.keys("Enter")
    await _until(terminal, "ended=0")

    program = next(line for line in _commands("develop commands") if "idleclaw-tui" in line)
    await terminal.keys(program, "Enter")
    await _until(terminal, "1 node")
    await terminal.keys("C-q")
    await _until(terminal, "Starting a network")


async def test_the_main_command_with_a_prompt_answers_once(bare: Mapping[str, str]) -> None:
    (command,) = _commands("main command")
    prompt = re.search(r'Add `(--prompt "[^"]+")` to it', README)
    assert prompt is not None
    code, out, err = await _ran(f"{command} {prompt[1]}", bare)
    assert (code, bool(out.strip())) == (0, True), err


async def test_the_commands_to_develop_with(bare: Mapping[str, str]) -> None:
    """All but the screen's, which is above, fuzzing, which is below, and the gate itself."""
    others = ("idleclaw-tui", "tests.fuzzing", ".ci/run")
    commands = [c for c in _commands("develop commands") if not any(o in c for o in others)]
    assert len(commands) == 2
    for command in commands:
        code, out, err = await _ran(command, bare)
        assert code == 0, out + err


async def test_fuzzing_begins(bare: Mapping[str, str]) -> None:
    """It takes ten minutes: here only until the first inputs have gone through."""
    command = next(line for line in _commands("develop commands") if "tests.fuzzing" in line)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"exec {command}"),
        cwd=ROOT,
        env=bare,
        stdout=DEVNULL,
        stderr=PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = ""
    try:
        async with asyncio.timeout(SECONDS):
            while "INITED" not in said and not process.stderr.at_eof():
                said += (await process.stderr.readline()).decode()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
    assert "INITED" in said, said
