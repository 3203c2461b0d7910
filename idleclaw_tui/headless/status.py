"""`idleclaw-tui status`: what the network can do right now, on one plain page."""

from typing import TextIO

from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.status_page import status_page
from idleclaw_tui.router_client import RouterClient
from idleclaw_tui.status_report import StatusReport


async def status(server: str, *, json_object: bool, width: int, stdout: TextIO) -> ExitCode:
    """Print the router's state and return OK, or NO_NODE where nobody shares a model.

    `json_object` prints the `StatusReport` as one JSON object instead of a page of `width` cells.
    Raises an `IdleClawError` where the router is unreachable or refuses.
    """
    async with RouterClient(server) as router:
        report = await read_report(router)
    if json_object:
        stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        stdout.write(status_page(report, width))
    return ExitCode.OK if report.can_answer else ExitCode.NO_NODE


async def read_report(router: RouterClient) -> StatusReport:
    """Return what the router tells: `/api/network`, or without it the original's pages."""
    network = await router.network()
    if network is not None:
        return StatusReport.from_network(router.server, network)
    return StatusReport.from_basics(
        router.server, await router.health(), await router.models(), await router.metrics()
    )
