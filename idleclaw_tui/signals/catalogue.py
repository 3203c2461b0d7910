"""The readers that make sense on this machine."""

import os
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from idleclaw_tui.ollama_host import is_loopback
from idleclaw_tui.sharing_settings import Mode, SharingSettings
from idleclaw_tui.signals import commands, graphics, host
from idleclaw_tui.signals.input_idle import has_desktop, input_idle
from idleclaw_tui.signals.processes import Processes
from idleclaw_tui.signals.sample import Reader


def readers(exclusive_apps: Iterable[str], ollama_url: str) -> list[Reader]:
    """Return the readers of this machine, in an order in which later ones may use earlier ones."""
    processes = Processes(exclusive_apps, _local_port(ollama_url))
    return [
        processes,
        host.power,
        host.memory,
        host.Processor(processes),
        input_idle(os.environ),
        *_graphics(processes),
    ]


def mode_of(settings: SharingSettings) -> Mode:
    """Return the mode: what was chosen, else idle on a desktop and always without one."""
    if settings.mode is not None:
        return settings.mode
    return "idle" if has_desktop(sys.platform, os.environ) else "always"


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
