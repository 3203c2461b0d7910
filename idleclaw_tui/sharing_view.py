"""What the screen knows of the own node: its link, its standing, the requests it relayed."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui import standing_words, words
from idleclaw_tui.node_events import (
    DayChanged,
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
    SpeedMeasured,
    StandingChanged,
)
from idleclaw_tui.sharing_news import SharingNews
from idleclaw_tui.sharing_policy import Standing
from idleclaw_tui.words import Tone, Toned

MAX_REQUESTS: Final = 200
"""Requests that are listed; beyond, the oldest that has ended is forgotten (totals stay)."""

MAX_NEWS: Final = 100
"""Sentences of news that are kept; the oldest goes first."""

HISTORY: Final = 120


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of news and when it was told, in seconds since the epoch."""

    at: float
    text: str


class SharingView:
    """The own node as the screen shows it. Times are seconds of one monotonic clock.

    `server` is the router's address as people know it; `alias` is the name under which others see
    the node while it is connected.
    """

    def __init__(self, server: str = "the router") -> None:
        self.alias: str | None = None
        self.standing: Standing | None = None
        self.day: DayChanged | None = None
        self.speed: SpeedMeasured | None = None
        self.news: deque[Told] = deque(maxlen=MAX_NEWS)
        self._server = server
        self._teller = SharingNews(server)
        self.link = LinkChanged("stopped")
        self.models: tuple[OfferedModel, ...] = ()
        self.ollama_version: str | None = None
        self.requests: dict[int, RequestChanged] = {}
        self.speeds: deque[float] = deque(maxlen=HISTORY)
        self.finished = 0
        self.unfinished = 0
        self._ended_tokens = 0
        self._link_since = 0.0
        self._retry_at: float | None = None
        self._sampled_tokens = 0
        self._sampled_at: float | None = None

    @property
    def active(self) -> bool:
        """Whether the node runs, connected or not."""
        return self.link.state != "stopped"

    @property
    def running(self) -> int:
        """The requests that are being answered."""
        return sum(not request.ended for request in self.requests.values())

    @property
    def tokens(self) -> int:
        """The tokens of all answers since the start."""
        running = (r.answer_tokens for r in self.requests.values() if not r.ended)
        return self._ended_tokens + sum(running)

    @property
    def paused(self) -> bool:
        """Whether the node is connected, but serves nobody for now."""
        return self._standing_counts and self.standing is not None and not self.standing.serves

    def tell(self, text: str, wall: float) -> None:
        """Add a sentence to the news."""
        self.news.append(Told(wall, text))

    def apply(self, event: NodeEvent, now: float, wall: float = 0.0) -> None:
        """Take in an event of the node; `wall` is the time since the epoch."""
        for sentence in self._teller.of(event):
            self.tell(sentence, wall)
        match event:
            case LinkChanged():
                self._apply_link(event, now)
            case StandingChanged():
                self.standing = event.standing
            case DayChanged():
                self.day = event
            case SpeedMeasured():
                self.speed = event
            case ModelsChanged():
                self.models, self.ollama_version = event.models, event.ollama_version
            case RequestChanged():
                self._apply_request(event)
            case ShownAs():
                self.alias = event.alias

    def sample(self, now: float) -> None:
        """Note the speed since the last sample; to be called about once a second."""
        tokens = self.tokens
        if self._sampled_at is not None:
            if now <= self._sampled_at:
                return
            made = max(0, tokens - self._sampled_tokens)
            self.speeds.append(made / (now - self._sampled_at))
        self._sampled_tokens, self._sampled_at = tokens, now

    def sentence(self, now: float) -> tuple[Toned, ...]:
        """Return in words whether and for whom the node works now."""
        glyph, tone, said = self._said(now)
        return Toned(f"{glyph} ", tone), Toned(said, "strong" if self.active else "plain")

    def detail(self, now: float) -> str:
        """Return what is wrong with the link and when it is tried again, or nothing."""
        said = words.sentence(self.link.detail) if self.link.detail else ""
        if self._retry_at is None:
            return said
        return f"{said} {words.retrying(self._retry_at - now)}".strip()

    def totals(self) -> str:
        """Return what was shared since the start, and today."""
        failed = f"{self.unfinished:,} not finished" if self.unfinished else None
        speed = words.rate(self.speeds[-1]) if self.speeds and self.running else None
        tokens = words.count(self.tokens, "token")
        session = f"{tokens} for {words.count(self.finished, 'request')}"
        today = f"today {self.day.tokens:,}" if self.day and self.day.tokens else None
        return words.joined(session, speed, today, failed)

    @property
    def _standing_counts(self) -> bool:
        return self.link.state == "connected" or (
            self.link.state == "waiting" and self._retry_at is None
        )

    def _said(self, now: float) -> tuple[str, Tone, str]:
        match self.link.state:
            case "stopped":
                return words.IDLE, "dim", "not sharing"
            case "connecting":
                return words.LOADING, "warn", "connecting to the router"
            case "refused":
                return words.FAILED, "bad", "the router refused this node"
            case "draining":
                left = words.count(self.running, "request")
                return words.PAUSED, "warn", f"finishing {left}, then stopping"
            case _ if self.paused and self.standing is not None:
                return self._said_paused(self.standing)
            case "waiting":
                return words.WAITING, "warn", "waiting to share"
            case "connected":
                return self._said_connected(now)

    def _said_paused(self, standing: Standing) -> tuple[str, Tone, str]:
        if standing.phase == "warming":
            return words.LOADING, "warn", "getting ready: loading and measuring models"
        if not standing.reasons:
            return words.PAUSED, "warn", "paused a moment longer: nothing is in the way any more"
        running = words.count(self.running, "request")
        ending = f"finishing {running}" if standing.phase == "draining" and self.running else None
        after = standing_words.resumes(standing)
        goes_on = f"goes on {after} if that stays so" if after else None
        why = f"paused: {standing_words.reasons(standing)}"
        return words.PAUSED, "warn", words.joined(why, ending, goes_on)

    def _said_connected(self, now: float) -> tuple[str, Tone, str]:
        running = f"serving {words.count(self.running, 'request')}"
        what = running if self.running else "ready, nobody asks"
        offered = f"sharing {words.count(len(self.models), 'model')}"
        since = f"connected for {words.whole_seconds(now - self._link_since)}"
        glyph = words.ACTIVE if self.running else words.IDLE
        return glyph, "good", words.joined(what, offered, since)

    def _apply_link(self, event: LinkChanged, now: float) -> None:
        if event.state != self.link.state:
            self._link_since = now
        if event.state == "stopped":
            self.standing, self._teller = None, SharingNews(self._server)
        self.link = event
        if event.state not in ("connected", "draining"):
            self.alias = None
        retry = event.retry_seconds
        self._retry_at = now + retry if retry is not None else None

    def _apply_request(self, event: RequestChanged) -> None:
        known = self.requests.get(event.number)
        if known is not None and known.ended:
            return
        self.requests[event.number] = event
        if event.ended:
            self._ended_tokens += event.answer_tokens
            self.finished += event.state == "done"
            self.unfinished += event.state != "done"
        if len(self.requests) > MAX_REQUESTS:
            ended = (number for number, r in self.requests.items() if r.ended)
            del self.requests[next(ended, next(iter(self.requests)))]
