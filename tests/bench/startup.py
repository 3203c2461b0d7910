"""What starting the program costs: `python -m tests.bench.startup`.

CPU time of a whole process, the least of several, beside that of `import httpx` in the same run.
Bytecode is written first, as an installation does.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ROUNDS: Final = 15
TARGET: Final = 1.5
NOBODY: Final = "http://127.0.0.1:9"


def commands(server: str) -> dict[str, list[str]]:
    """Return what is measured, by the name that the table gives it."""
    return {
        "--version": ["--version"],
        "consume --help": ["consume", "--help"],
        "status --help": ["status", "--help"],
        "status, no router answers": ["--server", NOBODY, "status"],
        "status": ["--server", server, "status"],
        "consume, no router answers": ["--server", NOBODY, "consume", "--prompt", "hello"],
    }


def cpu_seconds(*arguments: str) -> float:
    """Return the user and system time of one run of this Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def router() -> Iterator[str]:
    """Run a router without nodes in a process of its own; yields its address."""
    command = [sys.executable, "-m", "idleclaw_server", "--port", "0", "--address-limits", "off"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield next(line.split()[-1] for line in process.stderr if "listening on" in line)
        finally:
            process.terminate()


def main() -> None:
    """Measure in turns, so that noise meets all alike, and print the table."""
    with router() as server:
        runs = {"import httpx": ["-c", "import httpx"]}
        runs |= {name: ["-m", "idleclaw_tui", *rest] for name, rest in commands(server).items()}
        least = dict.fromkeys(runs, float("inf"))
        for _ in range(ROUNDS):
            for name, arguments in runs.items():
                least[name] = min(least[name], cpu_seconds(*arguments))
    base = least["import httpx"]
    print(f"{'command':30}{'CPU ms':>8}{'ratio':>8}")
    for name, seconds in least.items():
        print(f"{name:30}{seconds * 1e3:8.0f}{seconds / base:8.2f}")
    print(f"target: at most {TARGET} times `import httpx`")


if __name__ == "__main__":
    main()
