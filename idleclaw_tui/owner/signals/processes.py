"""Which programs run: Ollama's processes, this program's own, and the owner's exclusive ones."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import psutil

from idleclaw_tui.owner.signals.sample import Signals

SCAN_SECONDS: Final = 10.0
OLLAMA_NAMES: Final = ("ollama", "ollama app", "llama-server", "ollama_llama_server")


@dataclass(frozen=True, slots=True)
class Running:
    """One process: its id, that of its parent, its program's name without a suffix .exe."""

    pid: int
    parent: int
    name: str


def running_processes() -> list[Running]:
    """Return every process of the machine, as far as this user may see them."""
    found: list[Running] = []
    for process in psutil.process_iter(["ppid", "name"]):
        name, parent = process.info["name"], process.info["ppid"]
        found.append(Running(process.pid, parent or 0, plain_name(name or "")))
    return found


def plain_name(name: str) -> str:
    """Return a program's name as names are compared: lower case, without .exe."""
    return name.strip().lower().removesuffix(".exe")


def listener(port: int) -> int | None:
    """Return the id of the process that listens on a TCP port, None where this user may not see."""
    try:
        sockets = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    return next(
        (s.pid for s in sockets if s.status == psutil.CONN_LISTEN and s.laddr[1:] == (port,)), None
    )


class Processes:
    """Looks at all processes every ten seconds; reads `exclusive_app` where any are named.

    Ollama is known by its name, else as what listens on `ollama_port`.
    """

    def __init__(
        self,
        exclusive_apps: Iterable[str] = (),
        ollama_port: int | None = None,
        *,
        scan: Callable[[], list[Running]] = running_processes,
        listener: Callable[[int], int | None] = listener,
        own_pid: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exclusive: dict[str, str] = {}
        self._ollama_port = ollama_port
        self._scan = scan
        self._listener = listener
        self._own_pid = os.getpid() if own_pid is None else own_pid
        self._clock = clock
        self._scanned_at: float | None = None
        self._app: str | None = None
        self.watch_for(exclusive_apps)
        self.ollama: frozenset[int] = frozenset()
        """Ollama's processes, with those it started."""
        self.own: frozenset[int] = frozenset()
        """This program's processes, with those it started."""

    def watch_for(self, exclusive_apps: Iterable[str]) -> None:
        """Look for these programs from the next look on; callable from any thread."""
        self._exclusive = {plain_name(app): app for app in exclusive_apps}

    def __call__(self, signals: Signals) -> Signals:
        """Fill the signal in."""
        now = self._clock()
        if self._scanned_at is None or now - self._scanned_at >= SCAN_SECONDS:
            self._scanned_at = now
            self._app = None
            self._look(self._scan())
        return replace(signals, exclusive_app=self._app)

    def _look(self, processes: list[Running]) -> None:
        running = {process.name for process in processes}
        self._app = next((app for name, app in self._exclusive.items() if name in running), "")
        children: dict[int, list[int]] = {}
        for process in processes:
            children.setdefault(process.parent, []).append(process.pid)
        roots = {process.pid for process in processes if process.name in OLLAMA_NAMES}
        if not roots and self._ollama_port is not None:
            pid = self._listener(self._ollama_port)
            roots = set() if pid is None else {pid}
        self.own = _with_children({self._own_pid}, children)
        self.ollama = _with_children(roots, children) - self.own


def _with_children(roots: Iterable[int], children: dict[int, list[int]]) -> frozenset[int]:
    found: set[int] = set()
    left = list(roots)
    while left:
        pid = left.pop()
        if pid not in found:
            found.add(pid)
            left += children.get(pid, ())
    return frozenset(found)
