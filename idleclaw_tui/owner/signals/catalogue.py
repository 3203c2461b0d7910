"""The signals of this machine: every reader that makes sense here, in one sampler."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import urlsplit

from idleclaw_tui.ollama.host import is_loopback
from idleclaw_tui.owner.signals import commands, graphics, host
from idleclaw_tui.owner.signals.input_idle import has_desktop, input_idle
from idleclaw_tui.owner.signals.processes import Processes
from idleclaw_tui.owner.signals.sample import Reader, Signals
from idleclaw_tui.owner.signals.sampler import Sampler


class MachineSignals:
    """Reads this machine for as long as the block lasts: `with MachineSignals(url) as signals`.

    `ollama_url` tells Ollama's own work from that of others, where Ollama is on this machine.
    """

    def __init__(self, ollama_url: str) -> None:
        self._processes = Processes(ollama_port=_local_port(ollama_url))
        self._sampler = Sampler(readers(self._processes))

    def __enter__(self) -> Self:
        self._sampler.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._sampler.__exit__(*exc_info)

    def latest(self) -> Signals | None:
        """Return the newest signals, None before the first ones."""
        return self._sampler.latest()

    def wait(self, seconds: float) -> None:
        """Return once there are signals, at the latest after `seconds`."""
        self._sampler.wait(seconds)

    def watch_for(self, exclusive_apps: Iterable[str]) -> None:
        """Look for these programs from the next look on."""
        self._processes.watch_for(exclusive_apps)


def readers(processes: Processes) -> list[Reader]:
    """Return the readers of this machine, in an order in which later ones may use earlier ones."""
    return [
        processes,
        host.power,
        host.memory,
        host.Processor(processes),
        input_idle(os.environ),
        *_graphics(processes),
    ]


def is_desktop() -> bool:
    """Whether somebody may sit in front of this machine; may take a few seconds to find out."""
    return has_desktop(sys.platform, os.environ)


def _local_port(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port if is_loopback(parts.hostname or "") else None


def _graphics(processes: Processes) -> Iterator[Reader]:
    try:
        yield graphics.Nvidia(graphics.nvml_if_installed(), processes)
        return
    except (ImportError, OSError):
        pass
    if sys.platform == "darwin":
        yield graphics.Apple(commands.output)
    elif sys.platform == "linux":
        try:
            yield graphics.Amd()
        except ImportError:
            return
