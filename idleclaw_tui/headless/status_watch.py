"""`idleclaw-tui status --watch`: the network as it changes, until Ctrl+C."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import datetime
from textwrap import wrap
from types import TracebackType
from typing import Final, Protocol, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from idleclaw_tui import words
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.headless.status_changes import change_lines, summary
from idleclaw_tui.headless.status_page import status_page
from idleclaw_tui.network.feed import NetworkFeed, Sight
from idleclaw_tui.network.status_report import StatusReport
from idleclaw_tui.router.client import RouterClient

REDRAW_SECONDS: Final = 1.0


class Output(Protocol):
    """Where the reports of a watch go."""

    def show(self, report: StatusReport) -> None:
        """Show the newest state."""

    def lose(self, error: IdleClawError, retry_seconds: float) -> None:
        """Say that there is none at the moment."""

    def tick(self) -> None:
        """Be called once a second, for what changes with time alone."""


async def watch(server: str, router: RouterClient, first: StatusReport, output: Output) -> None:
    """Show `first`, then the router's state whenever it changes, until cancelled."""

    def saw(sight: Sight) -> None:
        output.show(StatusReport.of(server, sight))

    def lost(error: IdleClawError, retry_seconds: float, was_live: bool) -> None:
        output.lose(error, retry_seconds)

    output.show(first)
    following = asyncio.create_task(NetworkFeed(router, saw, lost, watched=True).run())
    try:
        while not following.done():
            await asyncio.wait({following}, timeout=REDRAW_SECONDS)
            output.tick()
        await following
    finally:
        following.cancel()


class Lines:
    """One line a change on `stdout`, or with `json_objects` the whole state as one object a line.

    What is wrong with the router goes to `stderr`, once.
    """

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        *,
        json_objects: bool,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._json_objects = json_objects
        self._now = now
        self._shown: StatusReport | None = None
        self._lost = False

    def show(self, report: StatusReport) -> None:
        """See `Output.show`."""
        if self._lost:
            self._lost = False
            self._stderr.write("The router answers again.\n")
        before, self._shown = self._shown, report
        if self._json_objects:
            if before is None or told(before) != told(report):
                self._stdout.write(report.model_dump_json() + "\n")
        else:
            at = f"{self._now():%H:%M:%S}"
            lines = [summary(report)] if before is None else change_lines(before, report)
            self._stdout.writelines(f"{at}  {line}\n" for line in lines)
        self._stdout.flush()

    def lose(self, error: IdleClawError, retry_seconds: float) -> None:
        """See `Output.lose`."""
        if not self._lost:
            self._lost = True
            self._stderr.write(f"{error} Trying on.\n")

    def tick(self) -> None:
        """See `Output.tick`: nothing here changes with time alone."""


def told(report: StatusReport) -> StatusReport:
    """Return a report without the router's age, which alone is no change."""
    return report.model_copy(update={"uptime_seconds": 0})


class Page:
    """The page on a terminal, redrawn in place; a context that leaves the last one behind."""

    def __init__(self, stdout: TextIO, clock: Callable[[], float]) -> None:
        self._stdout = stdout
        self._clock = clock
        console = Console(file=stdout, highlight=False)
        self._live = Live(
            console=console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._report: StatusReport | None = None
        self._error: IdleClawError | None = None
        self._seen_at = 0.0
        self._retry_at = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()
        if self._report is not None:
            self._stdout.write(status_page(self._report, shutil.get_terminal_size().columns))

    def show(self, report: StatusReport) -> None:
        """See `Output.show`."""
        self._report, self._error, self._seen_at = report, None, self._clock()
        self._draw()

    def lose(self, error: IdleClawError, retry_seconds: float) -> None:
        """See `Output.lose`."""
        self._error, self._retry_at = error, self._clock() + retry_seconds
        self._draw()

    def tick(self) -> None:
        """See `Output.tick`: counts down to the next try."""
        if self._error is not None:
            self._draw()

    def _draw(self) -> None:
        if self._report is None:
            return
        width, height = shutil.get_terminal_size()
        lines = status_page(self._report, width).splitlines()
        lines = fitted_page(lines, height, self._foot(width))
        self._live.update(Text("\n".join(lines), no_wrap=True, overflow="crop"), refresh=True)

    def _foot(self, width: int) -> list[str]:
        if self._error is None:
            return []
        now = self._clock()
        age = words.whole_seconds(now - self._seen_at)
        said = f"{self._error} {words.retrying(self._retry_at - now)} This is as of {age} ago."
        return ["", *wrap(said, width)]


def fitted_page(lines: list[str], height: int, foot: list[str]) -> list[str]:
    """Return the lines that fit above `foot`, with a count of those that do not."""
    room = max(1, height - len(foot))
    if len(lines) > room:
        hidden = len(lines) - room + 1
        lines = [*lines[: room - 1], f"and {hidden} more lines below, in a taller terminal"]
    return [*lines, *foot]
