"""Reading the signals in a thread of its own, so that no reader ever holds the event loop up."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from idleclaw_tui.owner.signals.sample import NOTHING, Reader, Signals
from idleclaw_tui.quiet_logs import log_unexpected

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 1.0
STALE_SECONDS: Final = 15.0
"""A sample older than this is worth nothing: some reader hangs."""


class SignalSource(AbstractContextManager[object], Protocol):
    """Where the newest signals come from, for the length of a block."""

    def latest(self) -> Signals | None:
        """Return the newest signals, None before the first ones."""
        ...

    def wait(self, seconds: float) -> None:
        """Return once there are signals, at the latest after `seconds`; not for an event loop."""
        ...

    def watch_for(self, exclusive_apps: Iterable[str]) -> None:
        """Look for these programs from now on."""
        ...


class Sampler:
    """Runs every reader once a second; use as `with Sampler(readers) as sampler`.

    A reader that raises leaves its signals unknown and is logged once. One that hangs makes all
    signals unknown after 15 s; its thread never keeps the process from ending.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        *,
        interval: float = INTERVAL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readers = tuple(readers)
        self._interval = interval
        self._clock = clock
        self._newest: tuple[float, Signals] | None = None
        self._logged: set[int] = set()
        self._stop = threading.Event()
        self._sampled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def latest(self) -> Signals | None:
        """Return the newest signals, None before the first ones; safe in every thread."""
        newest = self._newest
        if newest is None:
            return None
        taken_at, signals = newest
        return signals if self._clock() - taken_at <= STALE_SECONDS else NOTHING

    def wait(self, seconds: float) -> None:
        """Return once there are signals, at the latest after `seconds`."""
        self._sampled.wait(seconds)

    def sample(self) -> Signals:
        """Ask every reader, one after the other."""
        signals = NOTHING
        for index, reader in enumerate(self._readers):
            try:
                signals = reader(signals)
            except Exception as error:
                if index not in self._logged:
                    self._logged.add(index)
                    log_unexpected(logger, "reading a signal of this machine", error)
        return signals

    def _run(self) -> None:
        while not self._stop.is_set():
            signals = self.sample()
            self._newest = (self._clock(), signals)
            self._sampled.set()
            self._stop.wait(self._interval)


class Paced:
    """A value that costs something to get, asked for at most every `seconds`."""

    def __init__(
        self,
        read: Callable[[], float | None],
        seconds: float,
        *,
        grows: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._grows = grows
        self._clock = clock
        self._value: float | None = None
        self._read_at: float | None = None

    def value(self) -> float | None:
        """Return the value; one that `grows` with time is as much larger as it is older."""
        now = self._clock()
        if self._read_at is None or now - self._read_at >= self._seconds:
            self._read_at = now
            self._value = None
            self._value = self._read()
            self._read_at = self._clock()
        if self._value is None or not self._grows:
            return self._value
        return self._value + max(0.0, now - self._read_at)
