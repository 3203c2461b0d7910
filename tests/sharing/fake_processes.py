"""Processes and processor times, for the readers that look at them."""

from idleclaw_tui.signals.processes import Processes, Running

OWN = 10


PROCESSES = [
    Running(1, 0, "init"),
    Running(OWN, 1, "idleclaw-tui"),
    Running(11, OWN, "gdbus"),
    Running(20, 1, "ollama"),
    Running(21, 20, "llama-server"),
    Running(22, 21, "helper"),
    Running(30, 1, "doom"),
]


class Turning:
    """A clock and processor times that a test turns forward."""

    def __init__(self) -> None:
        self.now = 0.0
        self.busy = 0.0
        self.total = 0.0
        self.used: dict[int, float] = {}

    def clock(self) -> float:
        return self.now

    def machine(self) -> tuple[float, float]:
        return self.busy, self.total

    def process(self, pid: int) -> float | None:
        return self.used.get(pid)


def processes(*exclusive: str, found: list[Running] | None = None) -> Processes:
    return Processes(exclusive, scan=lambda: found or PROCESSES, own_pid=OWN)
