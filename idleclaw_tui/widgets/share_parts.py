"""What lies below the switch: models, limits, relayed requests and the last events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from idleclaw_tui.node_events import RequestChanged
from idleclaw_tui.sharing_choices import Choosable
from idleclaw_tui.sharing_rows import Line, request_cells
from idleclaw_tui.sharing_view import Told
from idleclaw_tui.table_layout import Column, TableRow
from idleclaw_tui.widgets.keyed_table import KeyedTable
from idleclaw_tui.widgets.limits_glance import LimitsGlance
from idleclaw_tui.widgets.line_list import GuardLines, NewsLines
from idleclaw_tui.widgets.model_ticks import ModelTicks
from idleclaw_tui.widgets.safe_text import text
from idleclaw_tui.words import Toned

Part = Literal["requests", "models", "news", "guards"]

_PARTS: Final[dict[Part, str]] = {
    "requests": "#requests-table",
    "models": "#share-models",
    "news": "#share-news",
    "guards": "#share-guards",
}
_PRIVATE: Final = " · what people write is never shown"
_NO_NEWS: Final[list[Line]] = [(Toned("Nothing happened yet.", "dim"),)]
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


@dataclass(frozen=True, slots=True)
class PartsState:
    """What the parts show: requests and news newest first."""

    models: Sequence[Choosable]
    limits: Sequence[Line]
    requests: Sequence[RequestChanged]
    news: Sequence[Told]
    guards: Sequence[Line]
    sharing: bool


class RequestsTable(KeyedTable):
    """The relayed requests; the cursor shows only while somebody moves it."""

    HELP = (
        "The requests of others that your Ollama answers: which model, how long, how many tokens. "
        "Never what they ask or what it says."
    )

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="requests-table")

    def get_component_rich_style(
        self, *names: str, partial: bool = False, default: Style | None = None
    ) -> Style:
        """Return the style of a part of the table: none for a cursor that nobody moves."""
        if "keyed-table--cursor" in names and not self.has_focus:
            return Style.null()
        return super().get_component_rich_style(*names, partial=partial, default=default)


class ShareParts(Vertical):
    """The parts, one below the other; where there is little room, the one that was gone to.

    Without `can_share` there are no limits, and nothing can be ticked.
    """

    DEFAULT_CSS = """
    ShareParts {
        height: 1fr;
        #share-choices { height: auto; max-height: 9; margin-top: 1; }
        #share-models-box { width: 3fr; height: 100%; min-height: 3; }
        #share-limits-box { width: 2fr; height: auto; min-height: 3; }
        #requests-box { height: 1fr; padding: 0; }
        #requests-table { height: auto; }
        #news-box { height: 9; display: none; }
        #guards-box { height: 1fr; display: none; }
        &.-at-news #requests-box, &.-at-guards #requests-box { display: none; }
        &.-at-news #news-box { display: block; height: 1fr; }
        &.-at-guards #guards-box { display: block; }
    }
    """

    def __init__(self, *, can_share: bool, clock_time: Callable[[float], str]) -> None:
        super().__init__(classes="-at-requests")
        self._can_share = can_share
        self._clock_time = clock_time

    def compose(self) -> ComposeResult:
        """Lay out all parts."""
        with Horizontal(id="share-choices"):
            with Vertical(id="share-models-box", classes="framed"):
                yield ModelTicks(fixed=not self._can_share, id="share-models")
                yield Static("", id="share-models-empty", classes="empty")
            if self._can_share:
                with Vertical(id="share-limits-box", classes="framed"):
                    yield LimitsGlance("", id="share-limits")
        with Vertical(id="requests-box", classes="framed"):
            yield RequestsTable()
            yield Static("", id="requests-empty", classes="empty")
        with Vertical(id="guards-box", classes="framed"):
            yield GuardLines(id="share-guards")
        with Vertical(id="news-box", classes="framed"):
            yield NewsLines(id="share-news")

    def on_mount(self) -> None:
        """Name the parts."""
        self._frame("#share-models-box", "Models", "space ticks" if self._can_share else "")
        self._frame("#requests-box", f"Relayed requests{_PRIVATE}", "e events · g guards")
        self._frame("#guards-box", "Guards", "r requests · e events")
        self._frame("#news-box", "Events", "")
        if self._can_share:
            self._frame("#share-limits-box", "Limits", "l changes")

    def name_for(self, *, small: bool) -> None:
        """Say by which keys to go on where only one part is shown."""
        requests = "Requests · e events · g guards" if small else f"Relayed requests{_PRIVATE}"
        self.query_one("#requests-box").border_title = text(requests)
        news = "Events · r requests · g guards" if small else "Events"
        self.query_one("#news-box").border_title = text(news)
        guards = "Guards · r requests · e events" if small else "Guards"
        self.query_one("#guards-box").border_title = text(guards)
        models = "Models · space ticks · r requests" if small else "Models"
        self.query_one("#share-models-box").border_title = text(models)

    def go_to(self, part: Part) -> None:
        """Show a part, and put the focus there."""
        for name in _PARTS:
            self.set_class(name == part, f"-at-{name}")
        target = self.query_one(_PARTS[part])
        if target.focusable:
            # At once: the next key may be on its way.
            self.screen.set_focus(target)
        else:
            target.focus()

    def show(self, state: PartsState) -> None:
        """Show the state."""
        self.query_one(ModelTicks).show(state.models)
        self._show_empty("#share-models-empty", "" if state.models else "none known")
        for glance in self.query(LimitsGlance):
            glance.show(state.limits)
        table = self.query_one(RequestsTable)
        table.show([TableRow(str(r.number), self._cells(r)) for r in state.requests])
        table.display = bool(state.requests)
        nothing = "Requests appear here while you share: model, tokens and times."
        if state.sharing:
            nothing = "Nobody has asked for an answer yet."
        self._show_empty("#requests-empty", "" if state.requests else nothing)
        news = [(Toned(f"{self._clock_time(n.at)}  ", "dim"), Toned(n.text)) for n in state.news]
        self.query_one(NewsLines).show(news or _NO_NEWS)
        self.query_one(GuardLines).show(state.guards)

    def _cells(self, request: RequestChanged) -> dict[str, Toned]:
        return request_cells(request, self._clock_time(request.started_at))

    def _frame(self, selector: str, title: str, hint: str) -> None:
        box = self.query_one(selector)
        box.border_title = text(title)
        box.border_subtitle = text(hint, "dim")

    def _show_empty(self, selector: str, said: str) -> None:
        widget = self.query_one(selector, Static)
        widget.display = bool(said)
        widget.update(text(said, "dim"))
