"""What the Network tab costs while 1,000 nodes and 100 models come, go and change.

    python -m tests.bench.network_tab [--seconds 20] [--nodes 1000 --models 100 --per-second 50]

The router runs on the first core; the app in a process of its own, in a terminal of 120x40 that
tmux provides, with the cursor on a model and then on a node. Once a second the title of the detail
pane, which is the key under the cursor, is read off the screen.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx
import psutil

from tests.bench.subjects import free_port, started

SIZE: Final = ("120", "40")
SETTLE_SECONDS: Final = 6.0
START_SECONDS: Final = 30.0
BUDGET: Final = 0.25
_TITLE: Final = re.compile(r"╭─ (\S+) ─+╮$")


class Terminal:
    """A pane of a tmux server that ends with the context."""

    def __init__(self, socket: Path, command: list[str]) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._tell("new-session", "-d", "-x", SIZE[0], "-y", SIZE[1], *command)
        self.process = psutil.Process(int(self._tell("display", "-p", "#{pane_pid}")))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("kill-server")

    def keys(self, *keys: str) -> None:
        """Press keys."""
        self._tell("send-keys", *keys)

    def screen(self) -> str:
        """Return what the terminal shows."""
        return self._tell("capture-pane", "-p")

    def until(self, piece: str) -> None:
        """Wait for a piece of text; raises TimeoutError after 30 s."""
        deadline = perf_counter() + START_SECONDS
        while piece not in (screen := self.screen()):
            if perf_counter() > deadline:
                raise TimeoutError(f"waited for {piece!r}, but the terminal shows:\n{screen}")
            time.sleep(0.1)

    @property
    def under_cursor(self) -> str:
        """The title of the detail pane."""
        titles = [found[1] for line in self.screen().splitlines() if (found := _TITLE.search(line))]
        return titles[-1] if titles else ""

    def cpu_seconds(self) -> float:
        """Return the app's CPU time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def _tell(self, *arguments: str) -> str:
        return subprocess.run(
            [*self._tmux, *arguments], check=True, capture_output=True, text=True
        ).stdout


def online(url: str) -> set[str]:
    """Return the names of the models and the aliases of the nodes."""
    page = httpx.get(f"{url}/api/network", trust_env=False).json()
    return {row["name"] for row in page["models"]} | {row["alias"] for row in page["nodes"]}


def measure(terminal: Terminal, url: str, seconds: float, what: str) -> bool:
    """Print the share of a core over `seconds` and where the cursor was; return whether it held."""
    time.sleep(SETTLE_SECONDS)
    shares, lost, gone, at = [], 0, 0, terminal.under_cursor
    first = at
    began, cpu = perf_counter(), terminal.cpu_seconds()
    while perf_counter() - began < seconds:
        lap, lap_cpu = perf_counter(), terminal.cpu_seconds()
        time.sleep(1.0)
        shares.append((terminal.cpu_seconds() - lap_cpu) / (perf_counter() - lap))
        now = terminal.under_cursor
        if now != at:
            left = at not in online(url)
            gone += left
            lost += not left
            at = now
    share = (terminal.cpu_seconds() - cpu) / (perf_counter() - began)
    print(
        f"cursor on a {what}: {share:.1%} of a core, a second's median "
        f"{statistics.median(shares):.1%}, highest {max(shares):.1%}; cursor began on {first}, "
        f"left it {lost} times while it was there, {gone} times because it went"
    )
    return share <= BUDGET and not lost


def main() -> int:
    """Print the shares; return 1 where one is over the budget or the cursor lost its row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a round")
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--per-second", type=int, default=50, help="changes of the network")
    asked = parser.parse_args()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    amounts = [str(amount) for amount in (asked.nodes, asked.models, asked.per_second)]
    router = [sys.executable, "-m", "tests.bench.changing_router", str(port), *amounts]
    app = [sys.executable, "-m", "idleclaw_tui", "--server", url]
    with started(router, port), tempfile.TemporaryDirectory() as folder:
        with Terminal(Path(folder) / "tmux", app) as terminal:
            terminal.until(f"{asked.nodes:,} nodes")
            terminal.keys("F3")
            terminal.until("Models")
            terminal.keys(*["Down"] * 20)
            held = measure(terminal, url, asked.seconds, "model")
            terminal.keys("Tab", *["Down"] * 20)
            held &= measure(terminal, url, asked.seconds, "node")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
