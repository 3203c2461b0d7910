"""A machine whose signals a test sets, and an Ollama that its owner uses too."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from idleclaw_tui.owner.signals.sample import Signals
from tests import fake_ollama_shapes as shapes
from tests.fake_ollama import Chat, FakeOllama

QUIET = Signals(
    on_battery=False,
    input_idle_seconds=3600.0,
    exclusive_app="",
    other_cpu_percent=1.0,
    memory_available=12 * 1024**3,
    memory_total=16 * 1024**3,
)
"""A machine without a graphics card that nobody uses."""

KEEP = timedelta(minutes=5)


class FakeSignals:
    """Signals as they were set last."""

    def __init__(self, signals: Signals | None = QUIET) -> None:
        self.signals = signals
        self.watched: tuple[str, ...] = ()

    def __enter__(self) -> "FakeSignals":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set(self, **changes: Any) -> None:
        self.signals = replace(self.signals or QUIET, **changes)

    def latest(self) -> Signals | None:
        return self.signals

    def wait(self, seconds: float) -> None:
        return None

    def watch_for(self, exclusive_apps: Iterable[str]) -> None:
        self.watched = tuple(exclusive_apps)


class LivedInOllama(FakeOllama):
    """Keeps a time for each loaded model, as Ollama does: set anew when the model falls idle.

    `keep` is how long the owner wants models to stay; None is for ever (`keep_alive: -1`).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keep: timedelta | None = KEEP
        self.expires: dict[str, datetime] = {}
        self.contexts: dict[str, int] = {}
        self.loading: asyncio.Event | None = None
        """A request that only loads a model is not answered before this is set."""

    @property
    def looks(self) -> int:
        """How often anybody asked what is loaded."""
        return sum(request.path == "/api/ps" for request in self.requests)

    def used_by_owner(self, name: str) -> None:
        """The owner asks this model something that is answered at once."""
        if name not in self.loaded:
            self.loaded.append(name)
        self._fell_idle(name)

    def _fell_idle(self, name: str) -> None:
        forever = datetime(2318, 3, 5, tzinfo=UTC) + (
            datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC)
        )
        self.expires[name] = forever if self.keep is None else datetime.now(UTC) + self.keep

    async def _answer(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        if not chat.body.get("messages") and self.loading is not None:
            await self.loading.wait()
        try:
            return await super()._answer(request, chat)
        finally:
            self._fell_idle(chat.body["model"])

    async def _ps(self, request: web.Request) -> web.Response:
        running = [model for model in self.models if model.name in self.loaded]
        return web.json_response({"models": [self._process(model) for model in running]})

    def _process(self, model: shapes.FakeModel) -> shapes.Json:
        until = self.expires.get(model.name, datetime.now(UTC) + KEEP)
        return shapes.process(model) | {
            "expires_at": until.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z",
            "context_length": self.contexts.get(model.name, model.context_length),
        }
