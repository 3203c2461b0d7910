"""The Contribute tab: share this machine's Ollama, and see what it does for others."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.message import Message
from textual.worker import Worker, WorkerError, WorkerState

from idleclaw_tui.network_view import NetworkView
from idleclaw_tui.node_events import LinkChanged
from idleclaw_tui.peers import LocalSharing, SharingNode
from idleclaw_tui.sharing_choices import with_choice, with_readiness
from idleclaw_tui.sharing_desk import SharingDesk
from idleclaw_tui.sharing_rows import NOT_CHOSEN_HERE, guard_pieces
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.widgets.limits_editor import LimitsEditor
from idleclaw_tui.widgets.limits_glance import LimitsGlance
from idleclaw_tui.widgets.model_ticks import ModelTicks
from idleclaw_tui.widgets.safe_text import toast
from idleclaw_tui.widgets.share_header import HeaderState, ShareHeader
from idleclaw_tui.widgets.share_parts import Part, PartsState, ShareParts
from idleclaw_tui.widgets.share_switch import ShareSwitch

LOOK_SECONDS: Final = 5.0
"""How often the local Ollama is looked at."""
CLOSE_SECONDS: Final = 2.0
ROOMY_LINES: Final = 30
"""From so many lines on, everything is shown at once."""
SMALL_LINES: Final = 16
"""Below so many lines, one part is shown at a time."""
NARROW: Final = 72


class ContributeTab(Vertical):
    """Starts and stops the own node and shows its events, drained from a feed four times a second.

    Where `sharing` brings no way to make a node, the node runs elsewhere and ends with the
    program; then there is nothing to switch and to choose.
    """

    BINDING_GROUP_TITLE = "Contribute"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "flip", "share", id="share.flip", tooltip="Start or stop sharing"),
        Binding("x", "stop_now", "stop now", id="share.now", tooltip="Stop sharing at once"),
        Binding("t", "try_now", "try now", id="share.try", tooltip="Try the router again now"),
        Binding("p", "pause", "pause", id="share.pause", tooltip="Pause sharing, or go on"),
        Binding("s", "measure", "speed", id="share.speed", tooltip="Measure the speed"),
        Binding("m", "part('models')", "models", id="share.models", tooltip="Choose models"),
        Binding("l", "limits", "limits", id="share.limits", tooltip="Change the limits"),
        *(
            Binding(key, f"part('{part}')", name, id=f"share.{name}", show=False, tooltip=tooltip)
            for key, part, name, tooltip in (
                ("e", "news", "events", "See the last events"),
                ("g", "guards", "guards", "See the guards and their thresholds"),
                ("r", "requests", "requests", "See the relayed requests"),
            )
        ),
    ]

    class LinkMoved(Message):
        """The own node came to the network or left it."""

    def __init__(
        self,
        sharing: LocalSharing,
        network: NetworkView,
        clock: Callable[[], float],
        clock_time: Callable[[float], str],
    ) -> None:
        super().__init__(id="contribute")
        self._sharing = sharing
        self._network = network
        self._clock = clock
        self._clock_time = clock_time
        self._desk = SharingDesk(sharing, network, clock)
        self._worker: Worker[None] | None = None
        self._is_small = False
        self._is_roomy = False

    def compose(self) -> ComposeResult:
        """Lay out switch and words over choices, requests and events."""
        yield ShareHeader()
        yield ShareParts(can_share=self._desk.can_share, clock_time=self._clock_time)

    def on_mount(self) -> None:
        """Begin to follow the feed and the local Ollama."""
        if self._desk.can_share:
            self._look_at_ollama()
            if self._sharing.at_once:
                self.action_flip()
        if self._sharing.notice is not None:
            toast(self, self._sharing.notice, warn=True)
        self._desk.view.sample(self._clock())
        self.set_interval(0.25, self.follow)
        self.set_interval(1.0, self.sample_speed)
        self.show_sharing()

    async def on_unmount(self) -> None:
        """Leave nothing running: the node says goodbye to the router, if that is quick."""
        if self._desk.node is None or self._worker is None:
            return
        self._desk.node.stop_now()
        with suppress(WorkerError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._worker.wait()

    def on_resize(self, event: events.Resize) -> None:
        """Show as much as there is room for."""
        self._is_small = event.size.height < SMALL_LINES or event.size.width < NARROW
        self._is_roomy = event.size.height >= ROOMY_LINES and not self._is_small
        self.set_class(self._is_roomy, "-roomy")
        self.set_class(self._is_small, "-small")
        self.query_one(ShareParts).name_for(small=self._is_small)
        self._show_unless_closing()

    def follow(self) -> None:
        """Take in what the node told since the last time."""
        told = self._desk.follow()
        for event in told:
            if isinstance(event, LinkChanged) and event.state in ("connected", "stopped"):
                self.post_message(self.LinkMoved())
        if told:
            self._network.own_alias = self._desk.view.alias
            self._show_unless_closing()

    def show_network(self) -> None:
        """Show whether the router can be reached, which matters before sharing."""
        self._show_header()

    def show_sharing(self) -> None:
        """Show the node as it is known now."""
        desk = self._desk
        self._show_header()
        self.query_one(ShareParts).show(
            PartsState(
                desk.choosable(),
                desk.limits(),
                tuple(reversed(desk.view.requests.values())),
                tuple(reversed(desk.view.news)),
                desk.guards(brief=self._is_small),
                sharing=desk.view.active,
            )
        )
        self.refresh_bindings()

    def _show_unless_closing(self) -> None:
        # While the program ends, widgets go before timers and messages that are on their way.
        with suppress(NoMatches):
            self.show_sharing()

    def focus_main(self) -> None:
        """Put the focus on the switch."""
        self.query_one(ShareSwitch).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        desk = self._desk
        match action:
            case "flip" | "limits":
                return desk.can_share
            case "stop_now" | "pause":
                return desk.node is not None
            case "try_now":
                return desk.waits
            case "measure":
                return desk.can_share and desk.node is None and not desk.measuring
            case _:
                return True

    @on(ShareSwitch.Flipped)
    def action_flip(self) -> None:
        """Start sharing; or stop after the running requests, which `x` cuts short."""
        if self._desk.node is not None:
            self._desk.node.stop()
        elif (node := self._desk.begin()) is not None:
            self._worker = self._share(node)
        self.show_sharing()

    def action_stop_now(self) -> None:
        """Stop sharing and cancel the running requests."""
        if self._desk.node is not None:
            self._desk.node.stop_now()

    def action_pause(self) -> None:
        """Serve nobody, or go on."""
        self._desk.pause_or_resume()

    def action_try_now(self) -> None:
        """Wait no longer for the next try."""
        if self._desk.node is not None:
            self._desk.node.try_now()

    def action_measure(self) -> None:
        """Measure how fast a model answers here."""
        self._measure()

    def action_part(self, part: Part) -> None:
        """Show a part where there is no room for all, and go there."""
        self.query_one(ShareParts).go_to(part)

    @on(LimitsGlance.Opened)
    def action_limits(self) -> None:
        """Open the form for the limits."""
        self.app.push_screen(LimitsEditor(self._desk.settings), self._choose)

    @on(ModelTicks.Ticked)
    def _tick(self, message: ModelTicks.Ticked) -> None:
        desk = self._desk
        self._choose(with_choice(desk.settings, desk.choosable(), message.name))

    @on(ModelTicks.Readied)
    def _ready(self, message: ModelTicks.Readied) -> None:
        self._choose(with_readiness(self._desk.settings, message.name))

    def _choose(self, settings: SharingSettings | None) -> None:
        if settings is not None and settings != self._desk.settings:
            self._desk.choose(settings)
            self._keep()
            self.show_sharing()

    @work(group="keep", exit_on_error=False)
    async def _keep(self) -> None:
        trouble = await self._desk.keep()
        if trouble is not None:
            toast(self, trouble, warn=True)
            self._show_unless_closing()

    @work(group="node", exit_on_error=False)
    async def _share(self, node: SharingNode) -> None:
        await self._desk.share(node)

    @work(group="measure", exit_on_error=False)
    async def _measure(self) -> None:
        await self._desk.measure()
        self.follow()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Notice the node's end."""
        if event.worker.group != "node" or not event.worker.is_finished:
            return
        failed = event.state is WorkerState.ERROR
        if failed:
            self.log.error(event.worker.error)
        self._desk.ended(failed=failed)
        self.follow()
        self._show_unless_closing()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look_at_ollama(self) -> None:
        while True:
            await self._desk.look()
            self.show_sharing()
            await asyncio.sleep(LOOK_SECONDS)

    def sample_speed(self) -> None:
        """Note how fast the node is; once a second."""
        self._desk.view.sample(self._clock())
        if self.display:
            with suppress(NoMatches):
                self._show_header()

    def _show_header(self) -> None:
        desk, now = self._desk, self._clock()
        view = desk.view
        sharing = view.active or not desk.can_share
        lines = [] if sharing else [check.line for check in desk.checklist()]
        if not desk.can_share and not self._is_small:
            lines = [NOT_CHOSEN_HERE]
        standing = view.standing if sharing else None
        pieces = guard_pieces(standing, brief=not self._is_roomy) if standing else []
        trouble = view.detail(now)
        self.query_one(ShareHeader).show(
            HeaderState(
                desk.switch(),
                view.sentence(now) if sharing or not self._is_small else (),
                f"{trouble} t tries now." if desk.waits and trouble else trouble,
                lines,
                pieces,
                view.totals() if sharing or view.finished else "",
                tuple(view.speeds),
            )
        )
