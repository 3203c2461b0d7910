"""The router as a running program: sockets, routes, the sweeper, an orderly end."""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from uuid import uuid4

from aiohttp import web

from idleclaw_server.core import RouterCore
from idleclaw_server.open_connections import OpenConnections
from idleclaw_server.policy import Policy
from idleclaw_server.routes import application
from idleclaw_server.settings import Settings

_GRACE_SECONDS: Final = 2.0
_SWEEP_SECONDS: Final = 1.0
_KEEPALIVE_SECONDS: Final = 15.0
_GOING_AWAY: Final = 1001
_log = logging.getLogger(__name__)


class Router:
    """A router that listens; made by `running_router`.

    Attributes:
        core: the decisions, for status and tests.
        url: where it listens, for example "http://127.0.0.1:8000".
    """

    def __init__(self, settings: Settings, core: RouterCore) -> None:
        self.core = core
        self.url = ""
        self._chats = OpenConnections()
        self._nodes = OpenConnections()
        self._runner = web.AppRunner(
            application(core, self._chats, self._nodes),
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            shutdown_timeout=_GRACE_SECONDS,
        )
        self._settings = settings
        self._site: web.TCPSite

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be used.
        """
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        await self._site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def drain(self, seconds: float) -> None:
        """Refuse new chats, stop listening, let answers end, say goodbye to the nodes.

        Answers that run or wait get `seconds`; what is left then ends with an error. Consumers
        and nodes each get two more seconds to take what is on its way to them.
        """
        self.core.drain()
        await self._site.stop()
        await self._chats.wait_for_none(seconds)
        self.core.end_all(asyncio.get_running_loop().time())
        await self._chats.wait_for_none(_GRACE_SECONDS)
        for node in list(self.core.registry):
            node.link.close(_GOING_AWAY, "server shutting down")
        await self._nodes.wait_for_none(_GRACE_SECONDS)

    @property
    def chats_open(self) -> int:
        """How many consumers are being served, those who have yet to take their end included."""
        return len(self._chats)

    @property
    def nodes_open(self) -> int:
        """How many sockets of nodes are open, registered or not."""
        return len(self._nodes)

    async def close(self) -> None:
        """Stop listening and close what is still open."""
        await self._runner.cleanup()


def new_core(policy: Policy, now: float) -> RouterCore:
    """Return a core with real randomness."""
    return RouterCore(
        policy,
        rng=random.Random(),
        new_id=lambda: str(uuid4()),
        alias_key=secrets.token_bytes(32),
        now=now,
    )


@asynccontextmanager
async def running_router(settings: Settings, policy: Policy | None = None) -> AsyncIterator[Router]:
    """Run a router on the present event loop for as long as the context lasts.

    Raises:
        OSError: the address cannot be used.
    """
    core = new_core(policy or Policy(), asyncio.get_running_loop().time())
    router = Router(settings, core)
    sweeper = asyncio.get_running_loop().create_task(_sweep(core))
    try:
        await router.start()
        yield router
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await router.close()


async def _sweep(core: RouterCore) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            core.deadlines.sweep(loop.time())
        except Exception:
            # Without the sweeper no deadline holds any more: it must outlive its own defects.
            _log.exception("the sweep failed")
