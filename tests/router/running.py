"""A router on a free port that has to be at rest when the test is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from idleclaw_server.core import RouterCore
from idleclaw_server.policy import Policy
from idleclaw_server.service import Router, running_router
from idleclaw_server.settings import Settings
from tests.waiting import wait_until

BOTH_LOOPS = pytest.mark.parametrize(
    "anyio_backend",
    [
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
    ],
)
"""For what depends on transports: uvloop's are not those of asyncio."""

OPEN = Settings(
    port=0,
    address_limits=False,
    prompt_identity=False,
    prompt_date=False,
    prompt_brief_thinking=False,
    prompt_history=50,
    current_time_tool=False,
    probes=False,
)
"""A router that limits no address, adds nothing to a conversation and asks nothing itself."""


@asynccontextmanager
async def routing(policy: Policy | None = None, settings: Settings = OPEN) -> AsyncIterator[Router]:
    """Run a router; afterwards nothing of any request may be left in it."""
    async with running_router(settings, policy or Policy()) as router:
        yield router
        await wait_until(lambda: residue(router.core) == [], "no residue of any request")


def residue(core: RouterCore) -> list[str]:
    """Name what a core at rest would not hold."""
    left = [f"active {relay.request_id}" for relay in core.life.active]
    left += [f"waiting {core.life.waiting}"] if core.life.waiting else []
    for node in core.registry:
        left += [f"in flight {request_id}" for request_id in node.in_flight]
        left += [f"cancelling {request_id}" for request_id in node.cancelling]
    for entry in core.registry.models.values():
        left += [f"queued for {entry.name}"] if len(entry.queue) else []
    return left


def pass_time(router: Router, seconds: float) -> None:
    """Let the router's sweeper see the clock `seconds` later, without waiting for it."""
    router.core.deadlines.sweep(asyncio.get_running_loop().time() + seconds)
