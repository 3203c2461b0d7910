"""The owner's side of sharing, without a screen: start, stop, choose, measure, keep the choice."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.limit_words import limit_lines
from idleclaw_tui.network_view import NetworkView
from idleclaw_tui.node_events import LinkChanged, NodeEvent, SpeedMeasured
from idleclaw_tui.peers import LocalSharing, OllamaFacts, SharingNode
from idleclaw_tui.sharing_choices import Choosable, choosable
from idleclaw_tui.sharing_rows import (
    NOT_CHOSEN_HERE,
    Check,
    Line,
    guard_lines,
    models_check,
    ollama_check,
    router_check,
    speed_check,
)
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.sharing_view import SharingView
from idleclaw_tui.words import Toned

SwitchState = Literal["off", "starting", "waiting", "on", "paused", "held", "stopping", "fixed"]


class SharingDesk:
    """One owner's node, from start to end and again; `clock` is monotonic time in seconds.

    It belongs to one event loop. The node's events wait in `sharing.feed` until `follow`.
    """

    def __init__(
        self, sharing: LocalSharing, network: NetworkView, clock: Callable[[], float]
    ) -> None:
        self.view = SharingView(network.server)
        self.settings = sharing.settings
        self.node: SharingNode | None = None
        self.measuring = False
        self.paused = False
        """Whether the owner said so."""
        self._sharing = sharing
        self._network = network
        self._clock = clock
        self._facts: OllamaFacts | None = None
        self._look_error: str | None = None
        self._kept = sharing.settings
        self._keeping = asyncio.Lock()
        if sharing.notice is not None:
            self.view.tell(sharing.notice, sharing.wall())

    @property
    def can_share(self) -> bool:
        """Whether there is anything to switch and to choose here."""
        return self._sharing.make_node is not None

    @property
    def waits(self) -> bool:
        """Whether the node waits for its next try."""
        return self.node is not None and self.view.link.state in ("waiting", "refused")

    def begin(self) -> SharingNode | None:
        """Make a node and return it for `share`, None where there is one or can be none."""
        if self._sharing.make_node is None or self.node is not None:
            return None
        self.paused = False
        self.node = self._sharing.make_node(self.settings, self._sharing.feed.publish)
        return self.node

    async def share(self, node: SharingNode) -> None:
        """Run the node to its end, and tell how it ended."""
        try:
            await node.run()
        except IdleClawError as error:
            self._sharing.feed.publish(LinkChanged("stopped", str(error)))
        else:
            self._sharing.feed.publish(LinkChanged("stopped"))

    def ended(self, *, failed: bool) -> None:
        """Note that the node is gone, and never claim to share where this program `failed`."""
        self.node = None
        self.paused = False
        if failed:
            said = "This program could not go on sharing."
            self._sharing.feed.publish(LinkChanged("stopped", said))

    def pause_or_resume(self) -> None:
        """Serve nobody until this is called again."""
        if self.node is None:
            return
        self.paused = not self.paused
        if self.paused:
            self.node.pause()
        else:
            self.node.resume()

    def choose(self, settings: SharingSettings) -> None:
        """Share by other settings from now on; `keep` puts them on the disk."""
        self.settings = settings
        if self.node is not None:
            self.node.change(settings)

    async def keep(self) -> str | None:
        """Write the newest settings, where they changed; return what went wrong, if anything."""
        async with self._keeping:
            newest = self.settings
            if newest == self._kept:
                return None
            try:
                await asyncio.to_thread(self._sharing.save, newest)
            except IdleClawError as error:
                self.view.tell(str(error), self._sharing.wall())
                return str(error)
            self._kept = newest
            return None

    def follow(self) -> list[NodeEvent]:
        """Take in what the node told since the last time, and return it."""
        events = self._sharing.feed.drain()
        now, wall = self._clock(), self._sharing.wall()
        for event in events:
            self.view.apply(event, now, wall)
        return events

    async def look(self) -> None:
        """Ask the local Ollama what it has."""
        try:
            self._facts = await self._sharing.look_at_ollama()
        except IdleClawError as error:
            self._look_error = str(error)
        else:
            self._look_error = None

    async def measure(self) -> None:
        """Measure the speed of a model, before anything is shared."""
        if self.measuring or self.node is not None:
            return
        models = [row.name for row in self.choosable() if row.ticked]
        offered = [m for m in (self._facts.models if self._facts else ()) if m.name in models]
        self.measuring = True
        try:
            measured = await self._sharing.measure(offered, self.settings)
        except IdleClawError as error:
            measured = SpeedMeasured(None, why_not=str(error))
        finally:
            self.measuring = False
        self._sharing.feed.publish(measured)

    def choosable(self) -> list[Choosable]:
        """Return the models to choose from; those that are shared, where nothing can be chosen."""
        if not self.can_share:
            return choosable(self.view.models, {}, SharingSettings())
        facts = self._facts
        return choosable(facts.models, facts.loaded, self.settings) if facts else []

    def limits(self) -> Sequence[tuple[Toned, ...]]:
        """Return the limits at a glance."""
        standing = self.view.standing
        return limit_lines(self.settings, standing.mode if standing else None)

    def guards(self, *, brief: bool) -> list[Line]:
        """Return a line a guard, without its thresholds where that is to be `brief`."""
        if not self.can_share:
            return [NOT_CHOSEN_HERE]
        return guard_lines(self.view.standing, self.settings, brief=brief)

    def checklist(self) -> list[Check]:
        """Return what sharing needs, in the order in which it is needed."""
        facts, error, network = self._facts, self._look_error, self._network
        known = facts is not None
        checks = [
            ollama_check(
                self._sharing.ollama_url, facts.version if facts else None, error, known=known
            )
        ]
        if known and error is None:
            checks.append(models_check(self.choosable()))
        trouble = network.trouble(self._clock())
        checks.append(router_check(network.server, trouble, network.reachable))
        if known and error is None:
            checks.append(speed_check(self.view.speed, running=self.measuring))
        return checks

    def switch(self) -> SwitchState:
        """Return how the switch stands."""
        if not self.can_share:
            return "fixed"
        if self.node is None:
            return "off"
        match self.view.link.state:
            case "draining":
                return "stopping"
            case "waiting" | "connected" if self.view.paused:
                return "held" if self.paused else "paused"
            case "connected":
                return "on"
            case "waiting" | "refused":
                return "waiting"
            case _:
                return "starting"
