"""What the screen knows of the own node: its link, its models, the requests it relayed."""

from collections import deque
from typing import Final

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui import words
from idleclaw_tui.sharing import (
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
)
from idleclaw_tui.words import Tone, Toned

MAX_REQUESTS: Final = 200
"""Requests that are listed; beyond, the oldest that has ended is forgotten (totals stay)."""

HISTORY: Final = 120


class SharingView:
    """The own node as the screen shows it. Times are seconds of one monotonic clock.

    `alias` is the name under which others see it while it is connected.
    """

    def __init__(self) -> None:
        self.alias: str | None = None
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

    def apply(self, event: NodeEvent, now: float) -> None:
        """Take in an event of the node."""
        match event:
            case LinkChanged():
                if event.state != self.link.state:
                    self._link_since = now
                self.link = event
                if event.state not in ("connected", "draining"):
                    self.alias = None
                retry = event.retry_seconds
                self._retry_at = now + retry if retry is not None else None
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
        """Return what was shared since the start."""
        failed = f"{self.unfinished:,} not finished" if self.unfinished else None
        speed = words.rate(self.speeds[-1]) if self.speeds and self.running else None
        tokens = words.count(self.tokens, "token")
        return words.joined(f"{tokens} for {words.count(self.finished, 'request')}", failed, speed)

    def _said(self, now: float) -> tuple[str, Tone, str]:
        since = words.whole_seconds(now - self._link_since)
        offered = f"sharing {words.count(len(self.models), 'model')}"
        match self.link.state:
            case "stopped":
                return words.IDLE, "dim", "not sharing"
            case "connecting":
                return words.LOADING, "warn", "connecting to the router"
            case "waiting":
                return words.WAITING, "warn", "waiting to share"
            case "refused":
                return words.FAILED, "bad", "the router refused this node"
            case "draining":
                left = words.count(self.running, "request")
                return words.PAUSED, "warn", f"finishing {left}, then stopping"
            case "connected":
                what = (
                    f"serving {words.count(self.running, 'request')}"
                    if self.running
                    else "ready, nobody asks"
                )
                glyph = words.ACTIVE if self.running else words.IDLE
                return glyph, "good", words.joined(what, offered, f"connected for {since}")

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
