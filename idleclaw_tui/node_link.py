"""The node: it shares the local Ollama with a router for as long as it runs."""

import asyncio
import itertools
import logging
import random
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE, OfferedModel, Register
from idleclaw_tui.backoff import Backoff, Uniform
from idleclaw_tui.clock import Clock
from idleclaw_tui.link_notices import LinkNotice
from idleclaw_tui.node_events import LinkChanged, ModelsChanged, NodeEvent, ShownAs
from idleclaw_tui.node_options import DEFAULT_OPTIONS, NodeOptions, NodeTiming
from idleclaw_tui.node_session import NodeSession, SessionEnd
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.pauses import Pause
from idleclaw_tui.quiet_logs import log_unexpected
from idleclaw_tui.relay_guard import GuardLimits
from idleclaw_tui.router_link import LinkFailed, RouterLink, open_link

logger = logging.getLogger(__name__)

FEATURES: Final = frozenset({DECLINE, CANCEL_ACK})

_UNEXPECTED: Final = "Sharing failed in a way the program did not expect. Its log says where."


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who a node is to its router, over all its connections; `secret` proves it."""

    node_id: str
    secret: str


def new_identity() -> NodeIdentity:
    """Return a random identity, good for one process."""
    return NodeIdentity(secrets.token_hex(16), secrets.token_urlsafe(32))


class Node:
    """Offers the models of `bridge` to the router at the base URL `server`, and relays requests.

    `models` are the names to offer, None for all that can chat; `max_concurrent` is how many
    requests run at once, whatever the router sends. `on_event` is called in the event loop for all
    that happens, and must neither block nor raise. `uniform` is the chance in waiting times. A
    node belongs to one event loop and runs once.
    """

    def __init__(
        self,
        server: str,
        bridge: OllamaBridge,
        *,
        on_event: Callable[[NodeEvent], None],
        models: Collection[str] | None = None,
        max_concurrent: int = 1,
        limits: GuardLimits = DEFAULT_OPTIONS.limits,
        timing: NodeTiming = DEFAULT_OPTIONS.timing,
        clock: Clock = DEFAULT_OPTIONS.clock,
        uniform: Uniform = random.uniform,
        identity: NodeIdentity | None = None,
    ) -> None:
        self._server = server
        self._bridge = bridge
        self._options = NodeOptions(
            None if models is None else frozenset(models), max_concurrent, limits, timing, clock
        )
        self._emit = on_event
        self._uniform = uniform
        self._identity = identity or new_identity()
        self._backoff = Backoff(uniform)
        self._numbers = itertools.count(1)
        self._session: NodeSession | None = None
        self._pause: Pause | None = None
        self._resumed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._router_knows_pauses = True
        self._life: asyncio.Task[None] | None = None
        self._models_told: ModelsChanged | None = None
        self._stopping = False

    async def run(self) -> None:
        """Share until stopped: wait for Ollama, connect, serve, and come back after every loss.

        Returns after `stop` or `stop_now`, with every request ended and the connection closed;
        cancelling it does the same as `stop_now`.
        """
        self._life = asyncio.create_task(self._live())
        try:
            await asyncio.wait([self._life])
        finally:
            self._life.cancel()
            await asyncio.wait([self._life])
            self._emit(LinkChanged("stopped"))

    def stop(self) -> None:
        """Finish the running requests, take no new ones, then leave; `run` returns after that."""
        self._stopping = True
        if self._session is None:
            self.stop_now()
            return
        self._session.drain()
        self._emit(LinkChanged("draining", _draining(self._session.active)))

    def obey(self, pause: Pause | None) -> None:
        """Serve nobody while there is a pause; the router is told at once.

        A router that cannot be told is left for the time of the pause. Callable before `run`.
        """
        self._pause = pause
        if pause is None:
            self._resumed.set()
        else:
            self._resumed.clear()
        if self._session is not None:
            self._session.obey(pause)

    def change(
        self, *, models: Collection[str] | None, max_concurrent: int, limits: GuardLimits
    ) -> None:
        """Take other choices of the owner; running requests end under the old ones."""
        self._options = replace(
            self._options,
            models=None if models is None else frozenset(models),
            max_concurrent=max_concurrent,
            limits=limits,
        )
        if self._session is not None:
            self._session.change(self._options)
        self._hurry.set()

    def try_now(self) -> None:
        """End the wait before the next try, whatever it is for; without one, nothing happens."""
        self._hurry.set()

    @property
    def active(self) -> int:
        """How many requests run."""
        return 0 if self._session is None else self._session.active

    def stop_now(self) -> None:
        """Give every running request back to the router, and leave at once."""
        self._stopping = True
        if self._life is not None:
            self._life.cancel()

    async def _live(self) -> None:
        while not self._stopping:
            try:
                await self._share_once()
            except Exception as error:
                log_unexpected(logger, "sharing", error)
                await self._wait(LinkNotice("waiting", _UNEXPECTED))

    async def _share_once(self) -> None:
        """Connect and serve until the connection ends, then wait as long as that asks for."""
        try:
            if self._pause is not None and not self._router_knows_pauses:
                await self._resumed.wait()
            registered, options = await self._found()
            self._emit(LinkChanged("connecting"))
            link = await open_link(self._server, registered, self._options.timing)
            end = await self._serve(link, registered, options)
        except LinkFailed as failed:
            await self._wait(failed.notice)
            return
        if end.cause == "paused" and end.notice is not None:
            self._emit(LinkChanged("waiting", end.notice.text))
        elif end.notice is not None and not self._stopping:
            await self._wait(end.notice, at_once=end.cause == "slept")

    async def _serve(
        self, link: RouterLink, registered: Register, options: NodeOptions
    ) -> SessionEnd:
        self._backoff.connected(self._options.clock.monotonic())
        self._session = NodeSession(
            link,
            registered,
            self._bridge,
            options,
            numbers=self._numbers,
            emit=self._emit,
            pause=self._pause,
        )
        if options is not self._options:
            self._session.change(self._options)
        self._router_knows_pauses = DECLINE in link.features
        self._emit(LinkChanged("connected"))
        if link.alias is not None:
            self._emit(ShownAs(link.alias))
        try:
            return await self._session.run()
        finally:
            self._session = None

    async def _found(self) -> tuple[Register, NodeOptions]:
        """Return what to register, once Ollama answers and has something to offer.

        The options are those it was chosen by; they may have changed since.
        """
        while True:
            options = self._options
            try:
                version = await self._bridge.version()
                models = await self._bridge.models(options.models, options.limits.context_tokens)
            except OllamaFailure as failure:
                trouble = failure.message
            else:
                self._tell_models(ModelsChanged(models, version))
                if models:
                    return self._registration(models, version, options), options
                trouble = _nothing_to_offer(options.models)
            delay = self._options.timing.ollama_retry
            self._emit(LinkChanged("waiting", trouble, delay))
            await self._pass(delay)

    def _registration(
        self, models: tuple[OfferedModel, ...], version: str, options: NodeOptions
    ) -> Register:
        return Register(
            node_id=self._identity.node_id,
            secret=self._identity.secret,
            models=models,
            max_concurrent=options.max_concurrent,
            ollama_version=version,
            features=FEATURES,
        )

    def _tell_models(self, event: ModelsChanged) -> None:
        if event != self._models_told:
            self._models_told = event
            self._emit(event)

    async def _wait(self, notice: LinkNotice, *, at_once: bool = False) -> None:
        delay = 0.0 if at_once else self._backoff.next_delay(self._options.clock.monotonic())
        if notice.state == "refused":
            least = self._options.timing.refused_retry
            delay = least + self._uniform(0.0, least)
        if notice.retry_after is not None:
            delay += notice.retry_after
        self._emit(LinkChanged(notice.state, notice.text, delay))
        await self._pass(delay)

    async def _pass(self, seconds: float) -> None:
        """Let the time go by, unless somebody is in a hurry."""
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()


def _nothing_to_offer(chosen: frozenset[str] | None) -> str:
    if chosen is None:
        return "Ollama has no model that can chat. Get one with `ollama pull llama3.2`."
    if not chosen:
        return "No model is chosen to be shared. Tick one."
    names = ", ".join(sorted(chosen))
    return f"Ollama has none of the chosen models ({names}). `ollama list` shows those it has."


def _draining(active: int) -> str:
    match active:
        case 0:
            return "Leaving."
        case 1:
            return "Finishing one request, then leaving."
        case _:
            return f"Finishing {active} requests, then leaving."
