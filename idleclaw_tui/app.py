"""The terminal UI: the frame around the three tabs, and what moves between them."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from idleclaw_tui.chats import Chat
from idleclaw_tui.full_drawing import FullDrawingApp
from idleclaw_tui.network_view import NetworkView
from idleclaw_tui.peers import LocalSharing, Router
from idleclaw_tui.router_watch import RouterWatch
from idleclaw_tui.screen_look import ScreenLook
from idleclaw_tui.screen_settings import DEFAULT_LOOK, Remember, ScreenSettings
from idleclaw_tui.tabs.chat import ChatTab
from idleclaw_tui.tabs.chat_dialogs import LeaveQuestion, ask_where_to_export
from idleclaw_tui.tabs.contribute import ContributeTab
from idleclaw_tui.tabs.network import NetworkTab
from idleclaw_tui.widgets.key_bar import KeyBar
from idleclaw_tui.widgets.safe_text import TerminalGuard, toast
from idleclaw_tui.widgets.top_bar import TABS, TabName, TopBar

Clock = Callable[[], float]
Tab = ChatTab | NetworkTab | ContributeTab

_WIDTHS: Final = [(0, "-narrow"), (72, "-medium"), (100, "-wide")]
_HEIGHTS: Final = [(0, "-tiny"), (9, "-short"), (20, "-tall")]


def clock_time(seconds: float) -> str:
    """Return the local time of day of a moment given in seconds since the epoch: 14:02:11."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


class IdleClawApp(FullDrawingApp):
    """The screen over a router and, on this machine, a node.

    `label` stands for the router's address where that means nothing to the person. `settings` are
    how the screen looked last; `remember` keeps them, in a thread. `keymap` gives keys to the ids
    of bindings.
    """

    TITLE = "IdleClaw"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "help", id="app.help", tooltip="Show or hide help and all keys"),
        Binding(
            "ctrl+p",
            "command_palette",
            "everything",
            id="app.palette",
            tooltip="Find any command",
            priority=True,
        ),
        Binding("f2", "tab('chat')", "Chat", id="app.chat", show=False),
        Binding("f3", "tab('network')", "Network", id="app.network", show=False),
        Binding("f4", "tab('contribute')", "Contribute", id="app.contribute", show=False),
        Binding(
            "ctrl+pageup", "step(-1)", "Previous tab", id="app.previous", show=False, priority=True
        ),
        Binding("ctrl+pagedown", "step(1)", "Next tab", id="app.next", show=False, priority=True),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", show=False, priority=True),
    ]

    def __init__(
        self,
        router: AbstractAsyncContextManager[Router],
        sharing: LocalSharing,
        server: str,
        *,
        label: str | None = None,
        first_tab: TabName = "chat",
        clock: Clock = time.monotonic,
        clock_time: Callable[[float], str] = clock_time,
        ascii_only: bool = False,
        settings: ScreenSettings = DEFAULT_LOOK,
        remember: Remember | None = None,
        keymap: Mapping[str, str] | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        self._guard = TerminalGuard(ascii_only=ascii_only)
        super().__init__(driver_class=driver_class)
        if keymap:
            self.set_keymap(dict(keymap))
        self._look = ScreenLook(self, settings, remember, lambda said: toast(self.screen, said))
        self._router_context = router
        self._open = AsyncExitStack()
        self._sharing = sharing
        self._network = NetworkView(server, label)
        self._first_tab: TabName = first_tab
        self._clock = clock
        self._clock_time = clock_time
        self._watch: RouterWatch
        self._chat: ChatTab
        self._tabs: dict[TabName, Tab]
        self._top_bar = TopBar(lambda width: self._network.headline(self._clock(), width))
        self._switcher = ContentSwitcher(id="tabs")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Let nothing reach the terminal that would steer it."""
        return [*super().get_line_filters(), self._guard]

    def compose(self) -> ComposeResult:
        """Lay out the frame; the tabs come once the router's client is open."""
        yield self._top_bar
        yield self._switcher
        yield KeyBar()

    async def on_mount(self) -> None:
        """Open the router's client, then the tabs."""
        self._look.start(os.environ)
        router = await self._open.enter_async_context(self._router_context)
        self._chat = ChatTab(router, self._network, self._clock)
        self._tabs = {
            "chat": self._chat,
            "network": NetworkTab(self._network, self._clock),
            "contribute": ContributeTab(
                self._sharing, self._network, self._clock, self._clock_time
            ),
        }
        for tab in self._tabs.values():
            await self._switcher.add_content(tab)
        self._watch = RouterWatch(router, self._network, self._clock, self._network_changed)
        self.action_tab(self._first_tab)
        self._watch_router(self._watch)
        self.set_interval(1.0, self._tick)

    async def on_unmount(self) -> None:
        """Close the router's client."""
        await self._open.aclose()

    @work(exclusive=True, group="watch", exit_on_error=False)
    async def _watch_router(self, watch: RouterWatch) -> None:
        await watch.run()

    async def action_quit(self) -> None:
        """Leave, after asking once where chats would be lost."""
        unsaved = self._chat.open_chats.chats.unsaved
        if not unsaved or isinstance(self.screen, LeaveQuestion):
            self.exit()
        else:
            self.push_screen(LeaveQuestion(unsaved), partial(self._leave, unsaved[0]))

    def _leave(self, first: Chat, way: str | None) -> None:
        if way == "enter":
            self.exit()
        elif way == "s":
            ask_where_to_export(self._chat, first)

    def action_tab(self, tab: TabName) -> None:
        """Open a tab."""
        self._switcher.current = tab
        self._top_bar.active = tab
        self._tabs[tab].show_network()
        self._tabs[tab].focus_main()
        self._watch.watch(tab == "network")

    def action_step(self, step: int) -> None:
        """Open the next or the previous tab."""
        at = TABS.index(self._top_bar.active)
        self.action_tab(TABS[(at + step) % len(TABS)])

    def _fatal_error(self) -> None:
        """Leave saying where this program failed: not with what, and not what it held."""
        error = sys.exc_info()[1] or self._exception
        place = "".join(traceback.format_tb(error.__traceback__)) if error else ""
        self.panic(
            Text(f"IdleClaw failed, which is its own fault: {type(error).__name__}\n{place}")
        )

    def action_help(self) -> None:
        """Show or hide the help panel."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of every tab beside Textual's own commands."""
        for command in super().get_system_commands(screen):
            if command.title not in ("Quit", "Keys"):
                yield command
        yield SystemCommand(
            "Reduced motion", "Nothing glides or blinks, or no longer", self._look.switch_motion
        )
        yield from self._commands(self, "", None)
        for tab in TABS:
            yield from self._commands(self._tabs[tab], f"{tab.capitalize()}: ", tab)

    def _commands(
        self, node: App[None] | Widget, prefix: str, tab: TabName | None
    ) -> Iterable[SystemCommand]:
        for binding in node.BINDINGS:
            if isinstance(binding, Binding) and binding.action != "command_palette":
                said = binding.tooltip or binding.description
                run = partial(self._run_command, node, binding.action, tab)
                yield SystemCommand(f"{prefix}{said}", self.get_key_display(binding), run)

    async def _run_command(
        self, node: App[None] | Widget, action: str, tab: TabName | None
    ) -> None:
        if tab is not None:
            self.action_tab(tab)
        await self.run_action(action, node)

    def _network_changed(self) -> None:
        self.call_later(self._show_network)

    def _show_network(self) -> None:
        # While the program ends, widgets go before timers and calls that are on their way.
        with suppress(NoMatches):
            self._top_bar.show_headline()
            self._tabs[self._top_bar.active].show_network()

    def _tick(self) -> None:
        if self._network.reachable:
            with suppress(NoMatches):
                self._top_bar.show_headline()
        else:
            self._show_network()

    @on(TopBar.TabChosen)
    def _tab_chosen(self, message: TopBar.TabChosen) -> None:
        self.action_tab(message.tab)

    @on(NetworkTab.ModelChosen)
    def _model_chosen(self, message: NetworkTab.ModelChosen) -> None:
        self._chat.use_model(message.name)
        self.action_tab("chat")

    @on(ChatTab.Refresh)
    @on(NetworkTab.Refresh)
    @on(ContributeTab.LinkMoved)
    def _refresh(self) -> None:
        self._watch.look_now()
