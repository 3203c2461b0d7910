"""The Network tab: what the network can do right now."""

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Static

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui import words
from idleclaw_tui.network_detail import (
    Line,
    model_detail,
    node_detail,
    tiles,
    totals_line,
)
from idleclaw_tui.network_history import TICK_SECONDS
from idleclaw_tui.network_order import MODEL_SORTS, NODE_SORTS, Filter, SteadyOrder
from idleclaw_tui.network_rows import MODEL_COLUMNS, NODE_COLUMNS, ModelLine, NodeLine
from idleclaw_tui.network_view import ModelRow, NetworkView
from idleclaw_tui.tabs.detail_box import DetailBox
from idleclaw_tui.tabs.ordered_table import OrderedTable
from idleclaw_tui.widgets.filter_bar import FilterBar
from idleclaw_tui.widgets.keyed_table import KeyedTable
from idleclaw_tui.widgets.safe_text import text, toned, update_if_new
from idleclaw_tui.widgets.tile import Tile

_NO_MODEL: Final = "No model is online now. F4 opens Contribute, where you can share yours."
_NO_NODE: Final = "No node is connected."
_ASKING: Final = "Asking the router."
_FILTERED: Final = "None matches the filter. Esc clears it."
_TILES: Final = ("nodes", "models", "running", "waiting", "tok/s")


class ModelsTable(KeyedTable):
    """The models; Enter starts a chat."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "chat with it", id="models.chat")
    ]


class NetworkTab(Vertical):
    """Totals, models and nodes, and all about the one under the cursor."""

    BINDING_GROUP_TITLE = "Network"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "chat", "chat", show=False, id="network.chat", tooltip="Chat with the model"
        ),
        Binding("slash", "filter", "filter", id="network.filter", tooltip="Show only some rows"),
        Binding("o", "order", "order", id="network.order", tooltip="Sort by another column"),
        Binding("s", "sort", "sort", id="network.sort", tooltip="Sort rows that changed"),
        Binding("d", "detail", "detail", id="network.detail", tooltip="All about a row"),
        Binding(
            "r",
            "refresh",
            "refresh",
            show=False,
            id="network.refresh",
            tooltip="Ask the router now",
        ),
        Binding("escape", "leave", "back", id="network.leave", tooltip="Leave filter or detail"),
    ]
    HELP = (
        "What the network can do right now. **Tab** moves between models and nodes, **Enter** on a "
        "model starts a chat with it. **/** shows only rows with some words, **Esc** all of them. "
        "**O** sorts by the next column, **1** to **9** by that column, again: backwards. Rows "
        "keep their places while you move among them; where that left them out of order, **S** "
        "sorts them anew. **D** says all about the row under the cursor."
    )

    class ModelChosen(Message):
        """The person wants to chat with a model."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Refresh(Message):
        """The person wants a fresh look at the router."""

    def __init__(self, network: NetworkView, clock: Callable[[], float]) -> None:
        super().__init__(id="network")
        self._network = network
        self._clock = clock
        self._filter = Filter()
        self._models_box: OrderedTable[ModelRow] = OrderedTable(
            ModelsTable(MODEL_COLUMNS, id="models-table"),
            "Models",
            SteadyOrder(MODEL_SORTS),
            ModelLine,
            clock,
            id="models-box",
        )
        self._nodes_box: OrderedTable[NodeStatus] = OrderedTable(
            KeyedTable(NODE_COLUMNS, id="nodes-table"),
            "Nodes",
            SteadyOrder(NODE_SORTS),
            lambda node: NodeLine(node, node.alias == network.own_alias),
            clock,
            id="nodes-box",
        )
        self._current: OrderedTable[ModelRow] | OrderedTable[NodeStatus] = self._models_box

    def compose(self) -> ComposeResult:
        """Lay out totals, filter, tables and detail."""
        with Horizontal(id="tiles"):
            for name in _TILES:
                yield Tile(name)
        yield Static("", id="totals-line")
        yield Static("", id="network-trouble")
        yield FilterBar(id="network-filter")
        yield self._models_box
        with Horizontal(id="network-bottom"):
            yield self._nodes_box
            yield DetailBox()

    def on_mount(self) -> None:
        """Show what is known, and the past as it grows."""
        self.show_network()
        self.set_interval(TICK_SECONDS, self._grow)

    def show_network(self) -> None:
        """Show the network as it is known now."""
        self._show_totals()
        self._show_models()
        self._show_nodes()
        self._show_detail()
        if (stale := self._current.order.stale) != self.has_class("-unsorted"):
            self.set_class(stale, "-unsorted")
            self.refresh_bindings()

    def focus_main(self) -> None:
        """Put the cursor into the models."""
        self._models_box.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "chat":
                return bool(self._network.models)
            case "sort":
                return self._current.order.stale
            case "leave":
                return bool(self._filter) or self.has_class("-detail")
            case "detail":
                return not (self.screen.has_class("-wide") and self.screen.has_class("-tall"))
        return True

    def action_chat(self) -> None:
        """Start a chat with the model under the cursor."""
        key = self._models_box.table.key_under_cursor
        if key is not None:
            self.post_message(self.ModelChosen(key))

    def action_filter(self) -> None:
        """Ask for the words that rows must hold."""
        self.query_one(FilterBar).open()

    def action_leave(self) -> None:
        """Show all rows again, or close the detail."""
        if self._filter:
            self.query_one(FilterBar).clear()
        else:
            self.action_detail()

    def action_order(self) -> None:
        """Sort the rows by the next column."""
        self._current.sort_by_next()

    def action_sort(self) -> None:
        """Sort rows that changed."""
        self._current.sort_now()

    def action_detail(self) -> None:
        """Say all about the row under the cursor where there is no room for it always."""
        self.toggle_class("-detail")
        self.refresh_bindings()
        self.call_after_refresh(self._show_detail)

    def action_refresh(self) -> None:
        """Ask the router now."""
        self.post_message(self.Refresh())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the detail of the table that has the focus."""
        for box in (self._models_box, self._nodes_box):
            if event.widget is box.table:
                self._current = box
                self.set_class(box is self._nodes_box, "-of-nodes")
        self.show_network()

    @on(KeyedTable.Chosen, "#models-table")
    def _model_chosen(self) -> None:
        self.action_chat()

    @on(KeyedTable.Highlighted)
    def _moved(self) -> None:
        self._show_detail()

    @on(OrderedTable.Reordered)
    def _reordered(self) -> None:
        self.show_network()

    @on(FilterBar.Changed)
    def _filtered(self, message: FilterBar.Changed) -> None:
        self._filter = Filter(message.words)
        self.show_network()
        self.refresh_bindings()

    @on(FilterBar.Left)
    def _filter_left(self) -> None:
        self._current.table.focus()

    def on_resize(self) -> None:
        """Offer the detail where it is not always there; where it is, use its room."""
        self.call_after_refresh(self.refresh_bindings)
        self.call_after_refresh(self._show_detail)

    def _grow(self) -> None:
        # While the program ends, widgets go before timers.
        with suppress(NoMatches):
            if self.display:
                self.show_network()

    def _show_totals(self) -> None:
        now = self._clock()
        for tile in tiles(self._network, now):
            shown = self.query_one(f"#tile-{tile.name.replace('/', '-')}", Tile)
            shown.show(tile.value, tile.samples)
        totals = self.query_one("#totals-line", Static)
        update_if_new(totals, toned(totals_line(self._network, now, totals.content_size.width)))
        trouble = self._network.trouble(now)
        line = self.query_one("#network-trouble", Static)
        line.display = trouble is not None
        stale = words.joined(self._network.staleness(now), "r tries at once")
        update_if_new(line, text(f"{words.FAILED} {trouble}\n  {stale}", "bad"))
        lost = self._network.picture is not None and not self._network.reachable
        self.set_class(lost, "-stale")

    def _show_models(self) -> None:
        models, nothing = self._network.models, _NO_MODEL
        if models:
            nothing = _FILTERED
        elif self._network.picture is None:
            nothing = "" if self._network.error else _ASKING
        self._models_box.show(self._filter.models(models), len(models), nothing)

    def _show_nodes(self) -> None:
        picture = self._network.picture
        nodes = (picture.nodes if picture else None) or ()
        nothing = ""
        if picture is not None:
            nothing = _FILTERED if nodes else picture.missing or _NO_NODE
        self._nodes_box.show(
            self._filter.nodes(nodes, self._network.own_alias), len(nodes), nothing
        )

    def _show_detail(self) -> None:
        box = self.query_one(DetailBox)
        key = self._current.table.key_under_cursor
        lines = self._detail(key, box.width)
        box.show(key if key is not None and lines else "Detail", lines)

    def _detail(self, key: str | None, width: int) -> list[Line]:
        network, now = self._network, self._clock()
        picture = network.picture
        if picture is None or key is None:
            return []
        if self._current is self._models_box:
            row = picture.model(key)
            return model_detail(row, network, now, width) if row else []
        node = next((node for node in picture.nodes or () if node.alias == key), None)
        return node_detail(node, network, now, width) if node else []
