"""The README's commands do what it says, word for word.

`.ci/run` runs those that install and test; here are those for whoever has the programs.
"""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from idleclaw_tui.exit_codes import ExitCode
from tests.fake_ollama import FakeModel, FakeOllama
from tests.programs import require_program
from tests.screen.test_tmux import Terminal
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEPLOYING = (ROOT / "server" / "deploy" / "README.md").read_text(encoding="utf-8")
PORT = 8000


def _own_router() -> list[str]:
    block = re.search(r"<!-- own router -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    return block[1].splitlines()


def _modes() -> list[str]:
    return re.findall(r"^\| `(idleclaw-tui [^`]+)` \|", README, re.MULTILINE)


@asynccontextmanager
async def _running(command: str, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"exec {command}", env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)


async def _line_with(stream: asyncio.StreamReader | None, what: bytes) -> None:
    assert stream is not None
    async with asyncio.timeout(20):
        while line := await stream.readline():
            if what in line:
                return
    raise AssertionError(f"no line said {what!r}")


async def _done(command: str, environment: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, env=environment, stdout=PIPE, stderr=PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_commands_of_the_readme_word_for_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("curl")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"something else listens on port {PORT}")
    async with FakeOllama([FakeModel(name="llama3.2:3b")]) as ollama:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "OLLAMA_HOST": ollama.url,
            "IDLECLAW_SERVER": f"http://127.0.0.1:{PORT}",
        }
        server, node, consume, curl = _own_router()
        async with _running(server, environment) as router:
            await _line_with(router.stderr, b"listening on")
            async with _running(node, environment) as contributor:
                await _line_with(contributor.stderr, b"Connected to")
                assert await _done(consume, environment) == "Hello there.\n"
                assert (await _done(curl, environment)).rstrip().endswith("data: [DONE]")
                assert "curl http://127.0.0.1:8000/health" in DEPLOYING.splitlines()
                await _done("curl http://127.0.0.1:8000/health", environment)
                said = {command: await _done(command, environment) for command in _quick()}
                await _follow("idleclaw-tui status --watch", environment)
                for name, value in environment.items():
                    monkeypatch.setenv(name, value)
                await _open(tmp_path / "tmux")
            async with _running(_in_the_readme("idleclaw-tui contribute"), environment) as plain:
                await _line_with(plain.stderr, b"Connected to")
        assert said["idleclaw-tui status"].count("llama3.2:3b") == 1
        assert (tmp_path / ".claude" / "skills" / "idleclaw" / "SKILL.md").exists()
        async with _running(
            _in_the_readme("idleclaw-server --host 0.0.0.0"), environment
        ) as router:
            await _line_with(router.stderr, b"listening on")


MEASURING = re.findall(r"`(python -m tests\.bench\.[a-z_]+)`", README)


def test_the_benchmarks_with_a_table_of_theirs_are_among_the_commands() -> None:
    assert {command.rsplit(".", 1)[1] for command in MEASURING} >= {"relay", "chat", "startup"}


@pytest.mark.parametrize("command", MEASURING)
async def test_a_benchmark_begins_to_measure(command: str) -> None:
    """It takes minutes: here only until the programs run that it measures."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"exec {command}"),
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        stdout=DEVNULL,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        measured = psutil.Process(process.pid).children
        await wait_until(lambda: measured() or process.returncode is not None, command, 60)
        assert process.returncode is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _in_the_readme(command: str) -> str:
    assert f"`{command}`" in README
    return command


async def _open(socket: Path) -> None:
    """Open the screen in a terminal and leave it again."""
    terminal = Terminal(require_program("tmux"), socket)
    await terminal.run("new-session", "-d", "-x", "90", "-y", "24", "sh")
    try:
        await terminal.keys(f"{_in_the_readme('idleclaw-tui')}; echo ended=$?", "Enter")
        await terminal.until("1 node")
        await terminal.keys("C-q")
        await terminal.until("ended=0")
    finally:
        await terminal.run("kill-server")


async def _follow(command: str, environment: Mapping[str, str]) -> None:
    """Run a command that goes on until Ctrl+C for its first line."""
    async with _running(_in_the_readme(command), environment) as following:
        await _line_with(following.stdout, b"1 node")
        following.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            assert await following.wait() == ExitCode.INTERRUPTED


def _quick() -> list[str]:
    """The commands of the table that end by themselves, and the one that completes."""
    completion = re.search(r'`(eval "\$\(idleclaw-tui [^`]+)`', README)
    assert completion is not None
    modes = [command for command in _modes() if command != "idleclaw-tui contribute"]
    assert len(modes) == 3
    return [*modes, completion[1]]
