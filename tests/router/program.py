"""The router as people run it: a process of its own."""

import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import Process

from tests.waiting import wait_until


class Program:
    """A real `idleclaw-server` with its log."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.log = ""
        self.url = ""

    async def read_log(self) -> None:
        """Keep what it says on stderr."""
        assert self.process.stderr is not None
        async for data in self.process.stderr:
            self.log += data.decode()

    async def exit_code(self) -> int:
        """Wait for its end."""
        with anyio.fail_after(15):
            return await self.process.wait()


@asynccontextmanager
async def program(*flags: str) -> AsyncIterator[Program]:
    """Run the router as people do."""
    own = ["--port", "0", "--address-limits", "off", "--probes", "off"]
    command = [sys.executable, "-m", "idleclaw_server", *own, *flags]
    async with await anyio.open_process(command, env={**os.environ}) as process:
        server = Program(process)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.read_log)
            await wait_until(lambda: "listening on" in server.log, "the router to listen")
            (server.url,) = re.findall(r"listening on (http://[0-9.:]+)", server.log)
            try:
                yield server
            finally:
                if process.returncode is None:
                    process.kill()
