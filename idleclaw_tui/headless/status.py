"""`idleclaw-tui status`: what the network can do right now, on one plain page."""

import shutil
import time
from textwrap import wrap
from typing import TextIO

from idleclaw_tui import words
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.status_page import status_page
from idleclaw_tui.network.model_outlook import Outlook, outlook
from idleclaw_tui.network.status_report import StatusReport
from idleclaw_tui.router.client import RouterClient


async def status(server: str, *, json_object: bool, stdout: TextIO) -> ExitCode:
    """Print the router's state and return OK, or NO_NODE where nobody shares a model.

    `json_object` prints the `StatusReport` as one JSON object instead of a page.
    Raises an `IdleClawError` where the router is unreachable or refuses.
    """
    async with RouterClient(server) as router:
        report = await read_report(router)
    if json_object:
        stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        stdout.write(status_page(report, _width()))
    return ExitCode.OK if report.can_answer else ExitCode.NO_NODE


async def why(server: str, model: str, *, json_object: bool, stdout: TextIO) -> ExitCode:
    """Print whether and how fast a chat with the model would be served; NO_NODE where not.

    `json_object` prints the `Outlook` as one JSON object. Raises as `status` does.
    """
    async with RouterClient(server) as router:
        report = await read_report(router)
    known = outlook(report, model)
    if json_object:
        stdout.write(known.model_dump_json(indent=2) + "\n")
    else:
        stdout.write(_outlook_page(report, known, _width()))
    return ExitCode.OK if known.served else ExitCode.NO_NODE


async def watch_status(
    server: str, *, json_objects: bool, stdout: TextIO, stderr: TextIO
) -> ExitCode:
    """Print the router's state whenever it changes, until cancelled (Ctrl+C).

    On a terminal the page is redrawn in place; elsewhere a line tells each change, or with
    `json_objects` one object a line the whole state. Raises as `status` does where the first look
    fails; a router that is lost later is waited for.
    """
    from idleclaw_tui.headless.status_watch import Lines, Page, watch

    async with RouterClient(server) as router:
        first = await read_report(router)
        if stdout.isatty() and not json_objects:
            with Page(stdout, time.monotonic) as page:
                await watch(server, router, first, page)
        else:
            await watch(server, router, first, Lines(stdout, stderr, json_objects=json_objects))
    return ExitCode.OK


async def read_report(router: RouterClient) -> StatusReport:
    """Return what the router tells: `/api/network`, or without it the original's pages."""
    network = await router.network()
    if network is not None:
        return StatusReport.from_network(router.server, network)
    return StatusReport.from_basics(
        router.server, await router.health(), await router.models(), await router.metrics()
    )


def _outlook_page(report: StatusReport, known: Outlook, width: int) -> str:
    row = report.model(known.model)
    kind = context = None
    if row is not None:
        kind = " ".join(part for part in (row.parameter_size, row.quantization) if part)
        context = f"{words.context(row.context_length)} context" if row.context_length else None
    head = words.joined(known.model, kind, context)
    lines = [line for sentence in known.why for line in wrap(sentence, width)]
    return "\n".join([*wrap(head, width), "", *lines]) + "\n"


def _width() -> int:
    return shutil.get_terminal_size().columns
