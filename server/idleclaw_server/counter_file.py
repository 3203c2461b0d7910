"""The totals of `/metrics` in a file, so that they survive a restart."""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idleclaw_server.core import RouterCore

_SAVE_SECONDS: Final = 60.0
_MAX_BYTES: Final = 65_536
_log = logging.getLogger(__name__)

_Total = Annotated[int, Field(ge=0, lt=1 << 53, strict=True)]


class SavedCounters(BaseModel):
    """What is kept; the names are those of `/metrics`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    requests_total: _Total = 0
    requests_errors_total: _Total = 0
    nodes_registered_total: _Total = 0


def read_counters(path: Path) -> SavedCounters:
    """Return what was saved; zeros, with a warning, where there is nothing or no sense in it."""
    try:
        with path.open("rb") as file:
            return SavedCounters.model_validate_json(file.read(_MAX_BYTES))
    except OSError as error:
        _log.warning("counters begin at zero: %s: %s", path, error.strerror)
    except ValidationError:
        _log.warning("counters begin at zero: %s holds none", path)
    return SavedCounters()


def write_counters(path: Path, counters: SavedCounters) -> None:
    """Replace the file as a whole: whoever reads it sees the old one or the new one.

    A failure is a warning; what is served does not depend on the file.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8") as file:
            file.write(counters.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        _log.warning("counters are not saved: %s: %s", path, error.strerror)
        with suppress(OSError):
            scratch.unlink()


class CounterKeeper:
    """Restores the totals once, then saves them every minute and at the end."""

    def __init__(self, path: Path, core: RouterCore) -> None:
        self._path = path
        self._core = core
        self._saved: SavedCounters | None = None
        self._stopped = asyncio.Event()

    async def restore(self) -> None:
        """Add what was saved to the core's counters."""
        saved = await asyncio.to_thread(read_counters, self._path)
        self._core.counters.requests += saved.requests_total
        self._core.counters.errors += saved.requests_errors_total
        self._core.registry.registered_total += saved.nodes_registered_total

    async def run(self) -> None:
        """Save once a minute, and a last time after `stop`."""
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_SAVE_SECONDS):
                    await self._stopped.wait()
            await self._save()

    def stop(self) -> None:
        """Let `run` save and end."""
        self._stopped.set()

    async def _save(self) -> None:
        present = SavedCounters(
            requests_total=self._core.counters.requests,
            requests_errors_total=self._core.counters.errors,
            nodes_registered_total=self._core.registry.registered_total,
        )
        if present != self._saved:
            self._saved = present
            await asyncio.to_thread(write_counters, self._path, present)
