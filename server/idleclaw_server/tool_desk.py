"""Running tools: one task a call, each with its time limit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from idleclaw_server.clock_tool import current_time
from idleclaw_server.errors import ToolFailed
from idleclaw_server.offered_tools import CURRENT_TIME, WEB_SEARCH
from idleclaw_server.settings import Settings
from idleclaw_server.tool_specs import ToolSpec
from idleclaw_server.tool_use import Report, ToolJob
from idleclaw_server.web_search import SearxNG

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool and what does its work; `close` ends what it keeps open."""

    spec: ToolSpec
    run: Callable[[Any], Awaitable[str]]
    close: Callable[[], Awaitable[None]] | None = None


def installed_tools(settings: Settings) -> list[Tool]:
    """Return what does the work of the tools that models are offered."""
    tools = [Tool(CURRENT_TIME, current_time)]
    if settings.searxng_url:
        upstream = SearxNG(settings.searxng_url)
        tools.append(Tool(WEB_SEARCH, upstream.search, upstream.close))
    return tools


class ToolDesk:
    """The `ToolRunner` of a running router. Its tools are fixed.

    The calls of a job run side by side, each for at most `seconds`. What fails has a result too,
    in words for the model.
    """

    def __init__(self, tools: Iterable[Tool], seconds: float) -> None:
        self._tools: Final = {tool.spec.name: tool for tool in tools}
        self._seconds: Final = seconds
        self._running: dict[ToolJob, dict[int, asyncio.Task[None]]] = {}

    def run(self, job: ToolJob, report: Report) -> None:
        """See `ToolRunner.run`."""
        places = [place for place, planned in enumerate(job.calls) if planned.runs]
        self._running[job] = {place: self._start(job, place, report) for place in places}

    def cancel(self, job: ToolJob) -> None:
        """See `ToolRunner.cancel`."""
        for task in self._running.pop(job, {}).values():
            task.cancel()

    async def close(self) -> None:
        """Stop what runs and close what the tools keep open."""
        tasks = [task for tasks in self._running.values() for task in tasks.values()]
        for job in list(self._running):
            self.cancel(job)
        await asyncio.gather(*tasks, return_exceptions=True)
        for tool in self._tools.values():
            if tool.close is not None:
                await tool.close()

    def _start(self, job: ToolJob, place: int, report: Report) -> asyncio.Task[None]:
        loop = asyncio.get_running_loop()
        return loop.create_task(self._call(job, place, report))

    async def _call(self, job: ToolJob, place: int, report: Report) -> None:
        planned = job.calls[place]
        result = await self._result(self._tools[planned.name], planned.arguments)
        tasks = self._running.get(job, {})
        tasks.pop(place, None)
        if not tasks:
            self._running.pop(job, None)
        report(place, result, asyncio.get_running_loop().time())

    async def _result(self, tool: Tool, arguments: object) -> str:
        name = tool.spec.name
        try:
            async with asyncio.timeout(self._seconds):
                return await tool.run(arguments)
        except TimeoutError:
            _log.warning("tool %s took more than %g s", name, self._seconds)
            return f"Error: Tool '{name}' timed out after {self._seconds:g}s"
        except ToolFailed as failure:
            _log.warning("tool %s failed: %s", name, failure)
            return f"Error: {failure}"
