"""What starting the program costs: `python -m tests.bench.startup`.

CPU time of a whole process, the least of several, beside that of `import httpx` in the same run.
Bytecode is written first, as an installation does.
"""

import os
import resource
import subprocess
import sys
from typing import Final

ROUNDS: Final = 9
TARGET: Final = 1.5
NOBODY: Final = "http://127.0.0.1:9"
COMMANDS: Final = (
    ("--version",),
    ("consume", "--help"),
    ("status", "--help"),
    ("--server", NOBODY, "status"),
    ("--server", NOBODY, "consume", "--prompt", "hello"),
)


def cpu_seconds(*arguments: str) -> float:
    """Return the user and system time of one run of this Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure in turns, so that noise meets all alike, and print the table."""
    runs = {"import httpx": ("-c", "import httpx")}
    runs |= {" ".join(command): ("-m", "idleclaw_tui", *command) for command in COMMANDS}
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, arguments in runs.items():
            least[name] = min(least[name], cpu_seconds(*arguments))
    base = least["import httpx"]
    print(f"{'command':52}{'CPU ms':>8}{'ratio':>8}")
    for name, seconds in least.items():
        print(f"{name:52}{seconds * 1e3:8.0f}{seconds / base:8.2f}")
    print(f"target: at most {TARGET} times `import httpx`")


if __name__ == "__main__":
    main()
