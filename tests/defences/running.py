"""A router with its defences up, and peers at loopback addresses of their own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
from websockets.asyncio.client import connect

from idleclaw_server.policy import Policy
from idleclaw_server.service import Router, running_router
from idleclaw_server.settings import Settings
from tests.router.scripted_node import ScriptedNode

PATIENCE_SECONDS = 10


@asynccontextmanager
async def defended(policy: Policy | None = None, **settings: Any) -> AsyncIterator[Router]:
    """Run a router on a free port with the settings of production, save the ones given.

    It asks no node anything itself, unless `probes` says so.
    """
    settings = {"probes": False, **settings}
    async with running_router(Settings(port=0, **settings), policy) as router:
        yield router


@asynccontextmanager
async def at(url: str, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client whose connections come from a loopback address."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(
        base_url=url, transport=transport, timeout=PATIENCE_SECONDS, trust_env=False
    ) as http:
        yield http


@asynccontextmanager
async def node_at(
    url: str, address: str = "127.0.0.1", headers: Mapping[str, str] | None = None
) -> AsyncIterator[ScriptedNode]:
    """A node that has said nothing yet, connected from a loopback address."""
    async with connect(
        url.replace("http", "ws", 1) + "/ws/node",
        local_addr=(address, 0),
        additional_headers=headers,
        compression=None,
        close_timeout=1,
        proxy=None,
        max_queue=None,
    ) as socket:
        yield ScriptedNode(socket)


@asynccontextmanager
async def patience(seconds: float = PATIENCE_SECONDS) -> AsyncIterator[None]:
    """Fail where what is inside takes longer."""
    with anyio.fail_after(seconds):
        yield
