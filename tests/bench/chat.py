"""What an answer costs while it streams onto the screen, and how soon a key shows meanwhile.

    python -m tests.bench.chat                # three rounds of 60 s
    python -m tests.bench.chat --seconds 10   # shorter rounds

Each program runs in a process of its own, in a pseudo-terminal of 120x40, and reads its answer over
HTTP from a router in this process: mixed Markdown, 200 tokens a second. CPU time is what the
operating system charges to that process from the first token to the finished answer. About every
0.4 s a letter that occurs nowhere else is written to the terminal; the time until its bytes come
back in the program's output is how late the key shows. As a measure of how busy the machine itself
is, the same letters are sent to a terminal whose line discipline echoes them.
"""

import argparse
import asyncio
import fcntl
import os
import pty
import random
import re
import signal
import statistics
import struct
import sys
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

import psutil

from tests.bench.chat_subjects import ENDED, MODEL, answer
from tests.fake_router_http import DONE, FakeRouter, Hold, Step, finish, text
from tests.waiting import wait_until

TOKENS_PER_SECOND = 200
KEY_SECONDS = 0.4
LETTERS = "".join(map(chr, [*range(0x10D0, 0x10F1), *range(0x561, 0x587)]))
WIDTH, HEIGHT = 120, 40
TARGET_SHARE, TARGET_KEY, TARGET_RATIO = 0.5, 0.050, 1.3


class Terminal:
    """A pseudo-terminal with a program in it.

    `output` is what it wrote since `forget`, `ended` is set once it wrote `ENDED`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(command[0], list(command), environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.output = b""
        self.ended = asyncio.Event()
        self._tail = b""
        self._arrived = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._fd)
        self.output = self.output[-(1 << 16) :] + data
        self._tail = (self._tail + data)[-(1 << 16) :]
        if ENDED.encode() in self._tail:
            self.ended.set()
        self._arrived.set()

    def write(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self.output = b""

    async def until(self, what: str, seconds: float = 30.0) -> None:
        """Wait until `what` was written; raises TimeoutError."""
        wanted = what.encode()
        async with asyncio.timeout(seconds):
            while wanted not in self.output:
                self._arrived.clear()
                await self._arrived.wait()

    def close(self) -> None:
        """End the program."""
        asyncio.get_running_loop().remove_reader(self._fd)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


@dataclass
class Result:
    """What was measured of one program."""

    name: str
    share: float = 0.0
    """CPU seconds a second."""
    keys: list[float] = field(default_factory=list)
    lost: int = 0
    """Keys that did not show within ten seconds."""
    seconds: float = 0.0
    memory: int = 0

    @property
    def late(self) -> float:
        """The 95th percentile of the seconds until a key showed."""
        return percentile(self.keys, 95)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile; infinite where nothing was measured."""
    if len(values) < 2:
        return float("inf")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def type_keys(terminal: Terminal, result: Result, running: Callable[[], bool]) -> None:
    """Press a key now and then, and note how long it takes to show; then take it back."""
    chance = random.Random(7)
    index = 0
    while running():
        letter = LETTERS[index % len(LETTERS)]
        index += 1
        terminal.forget()
        pressed = perf_counter()
        terminal.write(letter)
        try:
            await terminal.until(letter, 10.0)
            result.keys.append(perf_counter() - pressed)
        except TimeoutError:
            result.lost += 1
        terminal.write("\x7f")
        await asyncio.sleep(KEY_SECONDS * chance.uniform(0.5, 1.5))


def script(seconds: float) -> tuple[list[Step], list[asyncio.Event]]:
    """Return what the router plays, and a gate for each token."""
    steps: list[Step] = []
    gates: list[asyncio.Event] = []
    number = 0
    while len(gates) < seconds * TOKENS_PER_SECOND:
        number += 1
        for token in re.findall(r"\s*\w{1,6}|\s*\W", answer(number)):
            gates.append(asyncio.Event())
            steps += (Hold(gates[-1]), text(token))
    del steps[int(seconds * TOKENS_PER_SECOND) * 2 :], gates[int(seconds * TOKENS_PER_SECOND) :]
    return [*steps, finish(), DONE], gates


async def pace(gates: Sequence[asyncio.Event]) -> None:
    """Let the tokens go, evenly; those that are late go at once."""
    began = perf_counter()
    for index, gate in enumerate(gates):
        delay = began + index / TOKENS_PER_SECOND - perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        gate.set()


async def measure(name: str, options: Sequence[str], seconds: float) -> Result:
    """Run one program through one answer."""
    result = Result(name)
    async with FakeRouter() as router:
        router.models = {"models": [MODEL], "capabilities": {}}
        router.script, gates = script(seconds)
        command = [sys.executable, "-m", "tests.bench.chat_subjects", router.url, *options]
        terminal = Terminal(command)
        process = psutil.Process(terminal.pid)
        try:
            await terminal.until(MODEL)
            await asyncio.sleep(2)
            terminal.write("Go")
            await asyncio.sleep(0.5)
            terminal.write("\r")
            await wait_until(lambda: router.chats, "the question at the router")
            await asyncio.sleep(2)
            before, began = process.cpu_times(), perf_counter()
            pacing = asyncio.create_task(pace(gates))
            await type_keys(terminal, result, lambda: not pacing.done())
            async with asyncio.timeout(120):
                await terminal.ended.wait()
            after, result.seconds = process.cpu_times(), perf_counter() - began
            spent = after.user + after.system - before.user - before.system
            result.share = spent / result.seconds
            result.memory = process.memory_info().rss
        finally:
            terminal.close()
    return result


async def echo(seconds: float) -> Result:
    """Measure what this machine itself needs to give a key back."""
    result = Result("a terminal's own echo")
    terminal = Terminal(["sleep", str(seconds + 60)])
    ending = perf_counter() + seconds
    try:
        await type_keys(terminal, result, lambda: perf_counter() < ending)
    finally:
        terminal.close()
    return result


def row(result: Result) -> str:
    """Return a line of the table."""
    median = statistics.median(result.keys) if result.keys else float("inf")
    return (
        f"{result.name:<34} {result.share:>8.1%} {median * 1000:>9.0f} "
        f"{result.late * 1000:>9.0f} {max(result.keys, default=0) * 1000:>9.0f} "
        f"{len(result.keys):>6} {result.lost:>5} {result.memory / 1e6:>8.0f}"
    )


def verdict(what: str, value: float, target: float, unit: str) -> str:
    """Return a line that says whether a target was met."""
    met = "met" if value <= target else "MISSED"
    return f"{what:<58} {value:>8.2f} {unit:<7} target {target:g} {unit:<7} {met}"


async def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all programs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args(arguments).seconds
    load = os.getloadavg()[0]
    idle = await echo(min(seconds, 10.0))
    new = await measure("a new conversation", [], seconds)
    long = await measure("after 500 messages", ["--earlier", "500"], seconds)
    naive = await measure("naive: MarkdownStream, per token", ["--naive"], seconds)
    print(f"{TOKENS_PER_SECOND} tokens/s for {seconds:g} s, load before {load:.1f}")
    print(
        f"{'':<34} {'CPU':>8} {'key p50':>9} {'key p95':>9} {'key max':>9} "
        f"{'keys':>6} {'lost':>5} {'MB':>8}"
    )
    for result in (new, long, naive, idle):
        print(row(result))
    print(verdict("CPU of a new conversation", new.share, TARGET_SHARE, "cores"))
    print(verdict("key p95 in a new conversation", new.late * 1000, TARGET_KEY * 1000, "ms"))
    print(verdict("key p95 after 500 messages", long.late / new.late, TARGET_RATIO, "times"))
    print(verdict("CPU after 500 messages", long.share / new.share, TARGET_RATIO, "times"))
    print(f"{'CPU of the naive one':<58} {naive.share / new.share:>8.2f} times")


if __name__ == "__main__":
    asyncio.run(main())
