"""The router as a running program: sockets, routes, the sweeper, an orderly end."""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Final
from uuid import uuid4

from aiohttp import web

from idleclaw_server import configuration
from idleclaw_server.core import RouterCore
from idleclaw_server.counter_file import CounterKeeper
from idleclaw_server.http_log import HTTP_LOG
from idleclaw_server.listening import GatedServer, Listener, listen
from idleclaw_server.network_events import NetworkEvents
from idleclaw_server.network_status import NetworkStatus
from idleclaw_server.open_connections import OpenConnections
from idleclaw_server.open_files import connections_allowed
from idleclaw_server.policy import Policy
from idleclaw_server.probing import Probing
from idleclaw_server.routes import application
from idleclaw_server.settings import Settings
from idleclaw_server.tool_desk import ToolDesk, installed_tools

PRODUCT_VERSION: Final = version("idleclaw")
_GRACE_SECONDS: Final = 2.0
_SWEEP_SECONDS: Final = 1.0
_GOING_AWAY: Final = 1001
_log = logging.getLogger(__name__)


class Router:
    """A router that listens; made by `running_router`.

    Attributes:
        core: the decisions, for status and tests.
        network: who listens to the network's changes.
        probing: what is asked of nodes in order to check them.
        url: where it listens, for example "http://127.0.0.1:8000".
    """

    def __init__(self, settings: Settings, core: RouterCore) -> None:
        self.core = core
        self.url = ""
        self._chats = OpenConnections()
        self._nodes = OpenConnections()
        self.network = NetworkEvents(NetworkStatus(core, PRODUCT_VERSION), core.policy)
        rules = configuration.chat_rules(settings)
        self.probing = Probing(core, rules, settings.probe_seconds, random.Random())
        app = application(core, settings, self._chats, self._nodes, self.network, self.probing)
        self._runner = web.AppRunner(app)
        self._settings = settings
        self._protocols: GatedServer | None = None
        self._listener: Listener | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be used.
        """
        await self._runner.setup()
        assert self._runner.server is not None
        policy, settings = self.core.policy, self._settings
        self._protocols = GatedServer(
            self._runner.server,
            configuration.connection_gate(settings, connections_allowed()),
            access_log=None,
            logger=HTTP_LOG,
            keepalive_timeout=policy.keepalive_seconds,
            auto_decompress=False,
        )
        self._listener = await listen(
            self._protocols,
            configuration.client_addresses(settings),
            settings.host,
            settings.port,
            policy.unacknowledged_seconds,
        )
        self.url = self._listener.url

    @property
    def chats_open(self) -> int:
        """How many consumers are being served, those who have yet to take their end included."""
        return len(self._chats)

    @property
    def nodes_open(self) -> int:
        """How many sockets of nodes are open, registered or not."""
        return len(self._nodes)

    @property
    def listeners_open(self) -> int:
        """How many streams of the network's changes are open."""
        return len(self.network)

    @property
    def connections_open(self) -> int:
        """How many TCP connections are open, idle ones included."""
        return len(self._protocols.connections) if self._protocols else 0

    async def drain(self, seconds: float) -> None:
        """Refuse new chats, stop listening, let answers end, say goodbye to the nodes.

        Answers that run or wait get `seconds`; what is left then ends with an error. Consumers
        and nodes each get two more seconds to take what is on its way to them. Doing so again
        meanwhile, with fewer seconds, shortens the wait.
        """
        self.core.drain()
        self.probing.cancel_all(asyncio.get_running_loop().time())
        if self._listener is not None:
            self._listener.close()
        await self._chats.wait_for_none(seconds)
        self.core.end_all(asyncio.get_running_loop().time())
        await self._chats.wait_for_none(_GRACE_SECONDS)
        self.network.close()
        for node in list(self.core.registry):
            node.link.close(_GOING_AWAY, "server shutting down")
        await self._nodes.wait_for_none(_GRACE_SECONDS)

    async def close(self) -> None:
        """End at once what still runs, tell everybody, and close what is open."""
        await self.drain(0)
        if self._protocols is not None:
            self._protocols.pre_shutdown()
            await self._protocols.shutdown(_GRACE_SECONDS)
        await self._runner.cleanup()


def new_core(settings: Settings, policy: Policy, desk: ToolDesk, now: float) -> RouterCore:
    """Return a core with real randomness."""
    return RouterCore(
        policy,
        rng=random.Random(),
        new_id=lambda: str(uuid4()),
        alias_key=secrets.token_bytes(32),
        now=now,
        new_text=configuration.answer_text(settings),
        tools=desk,
    )


@asynccontextmanager
async def running_router(settings: Settings, policy: Policy | None = None) -> AsyncIterator[Router]:
    """Run a router on the present event loop for as long as the context lasts.

    Raises:
        OSError: the address cannot be used.
    """
    loop = asyncio.get_running_loop()
    rules = configuration.policy(settings, policy or Policy())
    desk = ToolDesk(installed_tools(settings), rules.tool_seconds)
    core = new_core(settings, rules, desk, loop.time())
    router = Router(settings, core)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_counters_kept(settings, core))
        await stack.enter_async_context(_repeated(core.deadlines.sweep, lambda: _SWEEP_SECONDS))
        if settings.probes:
            probe = partial(_probe, router.probing)
            await stack.enter_async_context(_repeated(probe, router.probing.pause))
        try:
            await router.start()
            yield router
        finally:
            await router.close()
            await desk.close()


def _probe(probing: Probing, now: float) -> None:
    probing.tick(now, datetime.now(UTC).date())


@asynccontextmanager
async def _counters_kept(settings: Settings, core: RouterCore) -> AsyncIterator[None]:
    if settings.counters_file is None:
        yield
        return
    keeper = CounterKeeper(settings.counters_file, core)
    await keeper.restore()
    saving = asyncio.get_running_loop().create_task(keeper.run())
    try:
        yield
    finally:
        keeper.stop()
        await saving


@asynccontextmanager
async def _repeated(
    act: Callable[[float], None], pause: Callable[[], float]
) -> AsyncIterator[None]:
    """Call `act` with the time again and again, `pause` seconds apart."""
    repeating = asyncio.get_running_loop().create_task(_repeat(act, pause))
    try:
        yield
    finally:
        repeating.cancel()
        with suppress(asyncio.CancelledError):
            await repeating


async def _repeat(act: Callable[[float], None], pause: Callable[[], float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(pause())
        try:
            act(loop.time())
        except Exception:
            # Without the sweep no deadline holds any more: it must outlive its own defects.
            _log.exception("what is done every second failed")
