"""The Network tab: what the network can do right now."""

from collections.abc import Callable
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Sparkline, Static

from idleclaw_tui import words
from idleclaw_tui.network_rows import (
    model_cells,
    model_detail,
    node_cells,
    node_detail,
    totals_line,
)
from idleclaw_tui.network_view import MODEL_ORDERS, NetworkView, in_steady_order
from idleclaw_tui.widgets.keyed_table import Column, KeyedTable, TableRow
from idleclaw_tui.widgets.safe_text import text, toned

_MODEL_COLUMNS: Final = (
    Column("model", "model", 16, flexible=True),
    Column("params", "params", 7, rank=6, right=True),
    Column("quant", "quant", 8, rank=7),
    Column("context", "context", 7, rank=5, right=True),
    Column("nodes", "nodes", 5, rank=3, right=True),
    Column("free", "free", 5, rank=1, right=True),
    Column("queue", "queue", 5, rank=4, right=True),
    Column("speed", "tok/s", 5, rank=2, right=True),
    Column("first", "first token", 11, rank=8, right=True),
)
_NODE_COLUMNS: Final = (
    Column("node", "node", 14, flexible=True),
    Column("state", "state", 10, rank=1),
    Column("load", "load", 10, rank=2),
    Column("speed", "tok/s", 5, rank=3, right=True),
    Column("uptime", "connected", 9, rank=4, right=True),
)
_NO_MODEL: Final = "No model is online now. F4 opens Contribute, where you can share yours."
_NO_NODE: Final = "No node is connected."


class ModelsTable(KeyedTable):
    """The models; Enter starts a chat."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "chat with it", id="models.chat")
    ]


class NetworkTab(Vertical):
    """Totals, models and nodes, and all about the one under the cursor."""

    BINDING_GROUP_TITLE = "Network"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "chat", "chat with it", id="network.chat", tooltip="Chat with the model"),
        Binding("s", "sort", "sort", id="network.sort", tooltip="Sort models by something else"),
        Binding("r", "refresh", "refresh", id="network.refresh", tooltip="Ask the router now"),
    ]
    HELP = (
        "What the network can do right now. **Tab** moves between models and nodes, **Enter** on a "
        "model starts a chat with it, **S** sorts by name, free slots or speed."
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
        self._order = MODEL_ORDERS[0]
        self._shown_models: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out totals, tables and detail."""
        with Horizontal(id="totals"):
            yield Static("", id="totals-line")
            yield Sparkline(id="speed-history", summary_function=max)
        yield Static("", id="network-trouble")
        with Vertical(id="models-box", classes="framed"):
            yield ModelsTable(_MODEL_COLUMNS, id="models-table")
            yield Static("", id="models-empty", classes="empty")
        with Horizontal(id="network-bottom"):
            with Vertical(id="nodes-box", classes="framed"):
                yield KeyedTable(_NODE_COLUMNS, id="nodes-table")
                yield Static("", id="nodes-empty", classes="empty")
            with VerticalScroll(id="detail-box", classes="framed", can_focus=False):
                yield Static("", id="detail")

    def on_mount(self) -> None:
        """Show what is known."""
        self._frame("#models-box", "Models")
        self._frame("#nodes-box", "Nodes")
        self.show_network()

    def show_network(self) -> None:
        """Show the network as it is known now."""
        self._show_totals()
        picture = self._network.picture
        speeds = list(self._network.speeds)
        history = self.query_one("#speed-history", Sparkline)
        history.display = len(speeds) > 1 and bool(picture and picture.tokens_per_second)
        history.data = speeds
        self._show_models()
        self._show_nodes()
        self._show_detail()

    def _show_totals(self) -> None:
        totals = toned(totals_line(self._network, self._clock()))
        self.query_one("#totals-line", Static).update(totals)
        trouble = self._network.trouble(self._clock())
        line = self.query_one("#network-trouble", Static)
        line.display = trouble is not None
        line.update(text(f"{words.FAILED} {trouble}", "bad"))
        stale = self._network.picture is not None and not self._network.reachable
        self.set_class(stale, "-stale")

    def focus_main(self) -> None:
        """Put the cursor into the models."""
        self.query_one("#models-table", KeyedTable).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a chat only where a model is under the cursor."""
        if action == "chat":
            return bool(self._network.models)
        return True

    def action_chat(self) -> None:
        """Start a chat with the model under the cursor."""
        key = self.query_one("#models-table", KeyedTable).key_under_cursor
        if key is not None:
            self.post_message(self.ModelChosen(key))

    def action_sort(self) -> None:
        """Sort the models by the next thing they can be sorted by."""
        at = MODEL_ORDERS.index(self._order)
        self._order = MODEL_ORDERS[(at + 1) % len(MODEL_ORDERS)]
        self._shown_models = []
        subtitle = text(f"sorted by {self._order}", "dim")
        self.query_one("#models-box").border_subtitle = subtitle
        self.show_network()

    def action_refresh(self) -> None:
        """Ask the router now."""
        self.post_message(self.Refresh())

    @on(DataTable.RowSelected, "#models-table")
    def _model_selected(self) -> None:
        self.action_chat()

    @on(DataTable.RowHighlighted)
    def _moved(self) -> None:
        self._show_detail()

    def on_descendant_focus(self, _: events.DescendantFocus) -> None:
        """Show the detail of the table that has the focus."""
        self._show_detail()

    def _show_models(self) -> None:
        rows = in_steady_order(self._network.models, self._order, self._shown_models)
        self._shown_models = [row.name for row in rows]
        table = self.query_one("#models-table", KeyedTable)
        table.show([TableRow(row.name, model_cells(row)) for row in rows])
        picture = self._network.picture
        nothing = "" if rows else "Asking the router." if picture is None else _NO_MODEL
        self._show_empty("#models-empty", nothing)

    def _show_nodes(self) -> None:
        picture = self._network.picture
        nodes = sorted((picture.nodes or ()) if picture else (), key=lambda node: node.alias)
        table = self.query_one("#nodes-table", KeyedTable)
        table.show([TableRow(node.alias, node_cells(node)) for node in nodes])
        nothing = ""
        if picture is not None and not nodes:
            nothing = picture.missing or _NO_NODE
        self._show_empty("#nodes-empty", nothing)

    def _show_detail(self) -> None:
        picture = self._network.picture
        title, lines = "Detail", []
        nodes, models = self.query(KeyedTable).last(), self.query(KeyedTable).first()
        shown = nodes if nodes.has_focus else models
        key = shown.key_under_cursor
        if picture is not None and key is not None:
            title = key
            if shown is nodes:
                lines = next((node_detail(n) for n in picture.nodes or () if n.alias == key), [])
            elif row := picture.model(key):
                lines = model_detail(row)
        self.query_one("#detail-box").border_title = text(title)
        self.query_one("#detail", Static).update(Content("\n").join([toned(li) for li in lines]))

    def _frame(self, selector: str, title: str) -> None:
        self.query_one(selector).border_title = text(title)

    def _show_empty(self, selector: str, said: str) -> None:
        widget = self.query_one(selector, Static)
        widget.display = bool(said)
        widget.update(text(said, "dim"))
