"""The Contribute tab: share this machine's Ollama, and see what it does for others."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Sparkline, Static
from textual.worker import Worker, WorkerError, WorkerState

from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.network_view import NetworkView
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing, SharingNode
from idleclaw_tui.sharing import LinkChanged, ModelsChanged
from idleclaw_tui.sharing_rows import model_line, ollama_check, request_cells, router_check
from idleclaw_tui.sharing_view import SharingView
from idleclaw_tui.widgets.keyed_table import Column, KeyedTable, TableRow
from idleclaw_tui.widgets.safe_text import text, toned
from idleclaw_tui.widgets.share_switch import ShareSwitch, SwitchState

LOOK_SECONDS: Final = 5.0
"""How often the local Ollama is looked at before sharing."""
CLOSE_SECONDS: Final = 2.0

_COLUMNS: Final = (
    Column("when", "began", 8, rank=4),
    Column("model", "model", 14, flexible=True),
    Column("state", "state", 11, rank=1),
    Column("in", "in", 6, rank=5, right=True),
    Column("out", "out", 6, rank=2, right=True),
    Column("speed", "tok/s", 5, rank=3, right=True),
    Column("time", "took", 6, rank=6, right=True),
    Column("note", "", 24, rank=7),
)
_PRIVATE: Final = "what people write is never shown or stored"


class ContributeTab(Vertical):
    """Starts and stops the own node and shows its events, drained from a feed four times a second.

    Where `sharing` brings no way to make a node, the node runs elsewhere and ends with the
    program; then there is nothing to switch.
    """

    BINDING_GROUP_TITLE = "Contribute"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "flip", "start/stop", id="share.flip", tooltip="Start or stop sharing"),
        Binding("x", "stop_now", "stop at once", id="share.now", tooltip="Stop sharing at once"),
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
        self._view = SharingView()
        self._node: SharingNode | None = None
        self._worker: Worker[None] | None = None
        self._look_error: str | None = None
        self._models_known: int | None = None

    @property
    def _feed(self) -> NodeFeed:
        return self._sharing.feed

    def compose(self) -> ComposeResult:
        """Lay out switch and summary over models and requests."""
        with Horizontal(id="share-top"):
            yield ShareSwitch()
            with Vertical(id="share-said"):
                yield Static("", id="share-sentence")
                yield Static("", id="share-detail")
                with Horizontal(id="share-totals"):
                    yield Static("", id="share-totals-line")
                    yield Sparkline(id="share-history", summary_function=max)
        with VerticalScroll(id="share-models-box", classes="framed", can_focus=False):
            yield Static("", id="share-models")
        with Vertical(id="requests-box", classes="framed"):
            yield KeyedTable(_COLUMNS, id="requests-table")
            yield Static("", id="requests-empty", classes="empty")

    def on_mount(self) -> None:
        """Begin to follow the feed and the local Ollama."""
        self.query_one("#share-models-box").border_title = text("Models")
        requests = self.query_one("#requests-box")
        requests.border_title = text("Relayed requests")
        requests.border_subtitle = text(_PRIVATE, "dim")
        self._view.sample(self._clock())
        self.set_interval(0.25, self.follow)
        self.set_interval(1.0, self.sample_speed)
        if self._sharing.make_node is not None:
            self._look_at_ollama()
            if self._sharing.at_once:
                self.action_flip()
        self.show_sharing()

    async def on_unmount(self) -> None:
        """Leave nothing running: the node says goodbye to the router, if that is quick."""
        if self._node is None or self._worker is None:
            return
        self._node.stop_now()
        with suppress(WorkerError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._worker.wait()

    def follow(self) -> None:
        """Take in what the node told since the last time."""
        events = self._feed.drain()
        now = self._clock()
        for event in events:
            self._view.apply(event, now)
            if isinstance(event, LinkChanged) and event.state in ("connected", "stopped"):
                self.post_message(self.LinkMoved())
        if events:
            self._network.own_alias = self._view.alias
            self._show_unless_closing()

    def show_network(self) -> None:
        """Show whether the router can be reached, which matters before sharing."""
        self._show_top(self._clock())

    def show_sharing(self) -> None:
        """Show the node as it is known now."""
        now = self._clock()
        self.query_one(ShareSwitch).state = self._switch_state()
        self._show_top(now)
        rows = [
            TableRow(str(number), request_cells(request, self._clock_time(request.started_at)))
            for number, request in reversed(self._view.requests.items())
        ]
        self.query_one("#requests-table", KeyedTable).show(rows)
        empty = self.query_one("#requests-empty", Static)
        empty.display = not rows
        empty.update(text(self._why_no_requests(), "dim"))
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
        if action == "flip":
            return self._sharing.make_node is not None
        if action == "stop_now":
            return self._node is not None
        return True

    @on(ShareSwitch.Flipped)
    def action_flip(self) -> None:
        """Start sharing; or stop after the running requests, which `x` cuts short."""
        if self._sharing.make_node is None:
            return
        if self._node is not None:
            self._node.stop()
        else:
            self._node = self._sharing.make_node(self._feed.publish)
            self._worker = self._share(self._node)
        self.show_sharing()

    def action_stop_now(self) -> None:
        """Stop sharing and cancel the running requests."""
        if self._node is not None:
            self._node.stop_now()

    @work(exclusive=True, group="node", exit_on_error=False)
    async def _share(self, node: SharingNode) -> None:
        try:
            await node.run()
        except IdleClawError as error:
            self._feed.publish(LinkChanged("stopped", str(error)))
        else:
            self._feed.publish(LinkChanged("stopped"))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Notice the node's end, and never claim to share where this program itself failed."""
        if event.worker.group != "node" or event.worker.is_running:
            return
        if event.state is WorkerState.ERROR:
            self.log.error(event.worker.error)
            self._feed.publish(LinkChanged("stopped", "This program could not go on sharing."))
        if event.worker.is_finished:
            self._node = None
            self.follow()
            self._show_unless_closing()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look_at_ollama(self) -> None:
        while True:
            if self._node is None:
                try:
                    facts = await self._sharing.look_at_ollama()
                except IdleClawError as error:
                    self._look_error, self._models_known = str(error), None
                else:
                    self._look_error, self._models_known = None, len(facts.models)
                    self._view.apply(ModelsChanged(facts.models, facts.version), self._clock())
                self.show_sharing()
            await asyncio.sleep(LOOK_SECONDS)

    def sample_speed(self) -> None:
        """Note how fast the node is; once a second."""
        self._view.sample(self._clock())
        if self.display:
            with suppress(NoMatches):
                self._show_top(self._clock())

    def _show_top(self, now: float) -> None:
        sharing = self._view.active or self._sharing.make_node is None
        detail = [] if sharing else self._checklist(now)
        if said := self._view.detail(now):
            detail.insert(0, text(said, "warn" if self._view.active else "bad"))
        self._update("#share-sentence", toned(self._view.sentence(now)))
        self._update("#share-detail", Content("\n").join(detail))
        self.query_one("#share-detail").display = bool(detail)
        totals = self._view.totals() if sharing or self._view.finished else ""
        self._update("#share-totals-line", text(totals, "dim"))
        self.query_one("#share-totals").display = bool(totals)
        speeds = list(self._view.speeds)
        history = self.query_one("#share-history", Sparkline)
        history.display = any(speeds)
        history.data = speeds
        lines = [toned(model_line(model)) for model in self._view.models]
        self._update("#share-models", Content("\n").join(lines or [text("none known", "dim")]))

    def _checklist(self, now: float) -> list[Content]:
        view = self._view
        url = self._sharing.ollama_url
        trouble, known = self._network.trouble(now), self._network.reachable
        return [
            toned(ollama_check(url, view.ollama_version, self._models_known, self._look_error)),
            toned(router_check(self._network.server, trouble, known)),
        ]

    def _update(self, selector: str, content: Content) -> None:
        widget = self.query_one(selector, Static)
        if widget.content != content:
            widget.update(content)

    def _switch_state(self) -> SwitchState:
        if self._sharing.make_node is None:
            return "fixed"
        if self._node is None:
            return "off"
        match self._view.link.state:
            case "connected":
                return "on"
            case "draining":
                return "stopping"
            case "waiting" | "refused":
                return "waiting"
            case _:
                return "starting"

    def _why_no_requests(self) -> str:
        if self._view.active:
            return "Nobody has asked for an answer yet."
        return "Requests appear here while you share: model, tokens and times."
