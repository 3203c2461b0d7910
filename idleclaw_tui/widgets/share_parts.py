"""What lies below the switch: models, limits, relayed requests and the last events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from idleclaw_tui.sharing import RequestChanged
from idleclaw_tui.sharing_choices import Choosable
from idleclaw_tui.sharing_rows import request_cells
from idleclaw_tui.sharing_view import Told
from idleclaw_tui.widgets.keyed_table import Column, KeyedTable, TableRow
from idleclaw_tui.widgets.limits_glance import LimitsGlance
from idleclaw_tui.widgets.model_ticks import ModelTicks
from idleclaw_tui.widgets.news_list import NewsList
from idleclaw_tui.widgets.safe_text import text
from idleclaw_tui.words import Toned

Part = Literal["requests", "models", "news"]

_PARTS: Final[dict[Part, str]] = {
    "requests": "#requests-table",
    "models": "#share-models",
    "news": "#share-news",
}
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
    """What the parts show: requests newest first, news oldest first."""

    models: Sequence[Choosable]
    limits: Sequence[tuple[Toned, ...]]
    requests: Sequence[RequestChanged]
    news: Sequence[Told]
    sharing: bool


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
        #news-box { height: 9; display: none; }
        &.-at-news #requests-box { display: none; }
        &.-at-news #news-box { display: block; height: 1fr; }
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
            yield KeyedTable(_COLUMNS, id="requests-table")
            yield Static("", id="requests-empty", classes="empty")
        with Vertical(id="news-box", classes="framed"):
            yield NewsList(id="share-news")

    def on_mount(self) -> None:
        """Name the parts."""
        hint = "space ticks" if self._can_share else ""
        self._frame("#share-models-box", "Models", hint)
        self._frame("#requests-box", "Relayed requests", "what people write is never shown")
        self._frame("#news-box", "Events", "")
        if self._can_share:
            self._frame("#share-limits-box", "Limits", "l changes")

    def go_to(self, part: Part) -> None:
        """Show a part, and put the focus there."""
        for name in _PARTS:
            self.set_class(name == part, f"-at-{name}")
        self.query_one(_PARTS[part]).focus()

    def show(self, state: PartsState) -> None:
        """Show the state."""
        self.query_one(ModelTicks).show(state.models)
        self._show_empty("#share-models-empty", "" if state.models else "none known")
        for glance in self.query(LimitsGlance):
            glance.show(state.limits)
        self.query_one("#requests-table", KeyedTable).show(
            [TableRow(str(r.number), self._cells(r)) for r in state.requests]
        )
        nothing = "Requests appear here while you share: model, tokens and times."
        if state.sharing:
            nothing = "Nobody has asked for an answer yet."
        self._show_empty("#requests-empty", "" if state.requests else nothing)
        self.query_one(NewsList).show(state.news, self._clock_time)

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
