"""The screen in a real terminal: tmux on a socket of its own, a real HTTP router behind."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests import fake_router_http as http
from tests.programs import require_program
from tests.screen.payloads import PAYLOADS

PROGRAM = "printf '\\033]2;untouched\\007'; {python} -m idleclaw_tui --server {url}; echo ended=$?"
EXPORTED_SIZE = "export COLUMNS=80 LINES=24"
"""What `eval $(resize)` leaves behind, which is wrong after the next change of the window."""


class Terminal:
    """A tmux server with one pane, driven through its own socket."""

    def __init__(self, tmux: str, socket: Path) -> None:
        self._command = [tmux, "-S", str(socket), "-f", "/dev/null"]

    async def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a tmux command and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate((stdin or "").encode())
        return output.decode()

    async def keys(self, *keys: str) -> None:
        await self.run("send-keys", *keys)

    async def screen(self) -> str:
        return await self.run("capture-pane", "-p")

    async def until(self, what: str, shown: Callable[[str], bool] | None = None) -> str:
        """Wait until `what` is on the screen, or until `shown` says so of the screen."""
        screen = ""
        for _ in range(300):
            screen = await self.screen()
            if shown(screen) if shown else what in screen:
                return screen
            await asyncio.sleep(0.1)
        raise AssertionError(f"waited for {what!r}, but the terminal shows:\n{screen}")


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    """A terminal of 90x24 in which a shell waits."""
    terminal = Terminal(require_program("tmux"), tmp_path / "tmux")
    await terminal.run("new-session", "-d", "-x", "90", "-y", "24", "sh")
    await terminal.run("set", "-g", "set-clipboard", "on")
    yield terminal
    await terminal.run("kill-server")


async def start(terminal: Terminal, url: str) -> None:
    """Open the program on the router at `url` and wait for its first look at it."""
    await terminal.keys(PROGRAM.format(python=sys.executable, url=url), "Enter")
    await terminal.until("2 nodes")


async def leave(terminal: Terminal) -> None:
    """Leave a program that has an unsaved chat; the terminal must be as it was before."""
    await terminal.keys("C-q")
    await terminal.until("Leave IdleClaw")
    await terminal.keys("Enter")
    await terminal.until("ended=0")
    modes = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"
    assert (await terminal.run("display", "-p", modes)).split() == ["0", "0", "1"]
    await terminal.keys("clear; stty -a", "Enter")
    settings = (await terminal.until("icanon")).split()
    assert {"icanon", "echo", "isig", "icrnl"} <= set(settings)


async def test_a_chat_from_the_first_key_to_the_end(terminal: Terminal) -> None:
    async with http.FakeRouter() as router:
        gate = asyncio.Event()
        router.script = [
            http.text("It was a **dark** "),
            http.Hold(gate),
            http.text("night."),
            http.finish(),
            http.DONE,
        ]
        await start(terminal, router.url)
        await terminal.keys("Tell me", "C-j", "a story", "Enter")
        await terminal.until("It was a dark")
        gate.set()
        screen = await terminal.until("✓ tiny:1b")
        assert "It was a dark night." in screen
        assert router.chats[0].body["messages"][0]["content"] == "Tell me\na story"

        await terminal.run("load-buffer", "-", stdin="one\ntwo\nthree\n")
        await terminal.run("paste-buffer", "-p")
        await terminal.until("three")
        assert len(router.chats) == 1, "a paste of many lines sends nothing"

        await terminal.keys("F3")
        await terminal.until("big:70b")
        await terminal.run("resize-window", "-x", "20", "-y", "5")
        await terminal.keys("F4", "F2")
        await terminal.run("resize-window", "-x", "90", "-y", "24")
        await terminal.until("✓ tiny:1b")

        await leave(terminal)
        assert "dark" not in await terminal.screen(), "the shell's own screen is back"


async def test_stopping_and_two_chats_at_once(terminal: Terminal) -> None:
    async with http.FakeRouter() as router:
        router.script = [http.text("It was a dark "), http.Hold(asyncio.Event())]
        await terminal.keys(EXPORTED_SIZE, "Enter")
        await start(terminal, router.url)
        await terminal.keys("Tell me a story", "Enter")
        await terminal.until("It was a dark")
        await terminal.keys("C-n")
        await terminal.until("2 New chat")
        await terminal.keys("And a poem", "Enter")
        await terminal.until("2 And a poem")
        await terminal.keys("F5")
        await terminal.until("Tell me a story")
        await terminal.keys("Escape")
        async with asyncio.timeout(10):
            await router.chats[0].disconnected.wait()
        await terminal.until("stopped after 1 token")
        assert not router.chats[1].disconnected.is_set(), "the other chat goes on"
        await terminal.run("resize-window", "-x", "40", "-y", "12")
        await terminal.until("1 Tell", lambda screen: "1 Tell" in screen and "^g" in screen)
        await terminal.keys("F6", "Escape")
        await terminal.until("stopped after")
        await terminal.run("resize-window", "-x", "20", "-y", "5")
        await terminal.keys("x", "Up", "Down")
        await terminal.run("resize-window", "-x", "90", "-y", "24")
        await terminal.until("And a poem")
        await leave(terminal)


async def test_keys_typed_while_the_program_starts_are_not_lost(terminal: Terminal) -> None:
    async with http.FakeRouter() as router:
        await terminal.keys(PROGRAM.format(python=sys.executable, url=router.url), "Enter")
        await terminal.keys("early words")
        await terminal.until("2 nodes", lambda screen: "early words" in screen)
        await terminal.until("2 nodes")
        assert "early words" in await terminal.screen()
        await terminal.keys("C-q")
        await terminal.until("ended=0")


async def test_the_mouse_can_be_left_to_the_terminal(terminal: Terminal) -> None:
    async with http.FakeRouter() as router:
        for flag, mouse in (("", "1"), (" --no-mouse", "0")):
            url = f"{router.url}{flag}"
            await start(terminal, url)
            assert (await terminal.run("display", "-p", "#{mouse_any_flag}")).strip() == mouse
            await terminal.keys("C-q")
            await terminal.until("ended=0")
            await terminal.keys("clear", "Enter")


async def test_a_hostile_answer_touches_neither_title_nor_clipboard(terminal: Terminal) -> None:
    evil = "\x1b]0;pwned\x07\x1b]2;pwned\x1b\\\x1b]52;c;Y3VybCBldmlsfHNo\x07\x9d0;pwned\x9c"
    async with http.FakeRouter() as router:
        router.models = {"models": [f"tiny:1b{evil}"], "capabilities": {}}
        router.script = [http.text(f"A {evil} B"), http.finish(error=evil, reason="error")]
        await start(terminal, router.url)
        await terminal.until("untouched", lambda screen: "tiny" in screen)
        await terminal.keys("go", "Enter")
        await terminal.until("^r again")
        await terminal.keys("F3")
        await terminal.until("Models")
        assert (await terminal.run("display", "-p", "#{pane_title}")).strip() == "untouched"
        assert "evil" not in await terminal.run("show-buffer")
        await leave(terminal)


async def test_no_payload_in_an_answer_reaches_the_terminal(terminal: Terminal) -> None:
    texts = [payload for payload, _ in PAYLOADS.values() if "\ud800" not in payload]
    async with http.FakeRouter() as router:
        pieces = [http.text(f"{text}\n\n{piece}\n\n") for text in texts for piece in "ab"]
        thoughts = [http.thinking(text) for text in texts]
        router.script = [
            *thoughts,
            *pieces,
            http.text("\n```\n\nall of it"),
            http.finish(),
            http.DONE,
        ]
        await start(terminal, router.url)
        await terminal.keys("go", "Enter")
        await terminal.until("all of it")
        for _ in range(100):
            await terminal.keys(*["PageUp"] * 5)
            if "thought for" in await terminal.screen():
                break
        await terminal.until("thought for")
        assert (await terminal.run("display", "-p", "#{pane_title}")).strip() == "untouched"
        assert "evil" not in await terminal.run("show-buffer")
        assert (await terminal.run("display", "-p", "#{alternate_on}")).strip() == "1"
        await leave(terminal)


async def test_a_pipe_gets_no_escape_codes(terminal: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = f"{sys.executable} -m idleclaw_tui 2>{log}; echo ended=$?; cat {log}"
    await terminal.keys(command, "Enter")
    screen = await terminal.until("is no terminal")
    assert "ended=2" in screen
