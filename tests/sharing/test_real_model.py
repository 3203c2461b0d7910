"""From a consumer's question to a real model's answer, past an owner who keeps the model loaded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic_core import from_json

from idleclaw_protocol.chat import ChatBody, ChatMessage
from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.local import ollama_shapes
from idleclaw_tui.local.engine import Engine
from idleclaw_tui.local.ollama_api import ChatEngine, EmbeddedOllama
from idleclaw_tui.local.ollama_shapes import ModelFacts
from idleclaw_tui.node_events import LinkChanged, NodeEvent, SpeedMeasured
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.router_client import RouterClient
from idleclaw_tui.sharing_control import Machine, SharingControl
from idleclaw_tui.sharing_settings import SharingSettings
from tests.local.built_in import engine_or_skip
from tests.sharing.fakes import FakeSignals
from tests.sharing.original_router import OriginalRouter
from tests.waiting import wait_until

pytestmark = pytest.mark.real_model

FOR_EVER = datetime(2318, 3, 5, tzinfo=UTC)
RELAYED_KEYS = {"model", "messages", "stream", "options", "think"}


class OwnersOllama(EmbeddedOllama):
    """The embedded model as its owner keeps it: loaded for ever, until a request says otherwise.

    Like Ollama's, its time is changed by whichever request brings a `keep_alive`
    (server/sched.go, `useLoadedRunner`).
    """

    def __init__(self, engine: ChatEngine, model: ModelFacts) -> None:
        super().__init__(engine, model)
        self.expires_at = FOR_EVER
        self.bodies: list[dict[str, Any]] = []

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = from_json(await request.read())
        self.bodies.append(body)
        if "keep_alive" in body:
            self.expires_at = datetime.now(UTC) + timedelta(seconds=body["keep_alive"])
        return await super()._chat(request)

    async def _ps(self, request: web.Request) -> web.Response:
        listed = ollama_shapes.processes(self.model)
        listed["models"][0]["expires_at"] = self.expires_at.isoformat()
        return web.json_response(listed)

    async def loaded(self) -> Any:
        """What the owner sees in /api/ps."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{self.url}/api/ps")).json()


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = engine_or_skip()
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def ollama(engine: Engine) -> AsyncIterator[OwnersOllama]:
    service = OwnersOllama(engine, await engine.facts())
    async with service.serving():
        yield service


@asynccontextmanager
async def shared(
    server: str, ollama: OwnersOllama, count_path: Path
) -> AsyncIterator[list[NodeEvent]]:
    """Share the model with the router at `server`, as the Contribute tab does."""
    events: list[NodeEvent] = []
    machine = Machine(FakeSignals(), lambda: False, count_path)
    async with OllamaBridge(ollama.url) as bridge:
        control = SharingControl(
            server, bridge, SharingSettings(), machine, on_event=events.append, measure=True
        )
        running = asyncio.create_task(control.run())
        try:
            yield events
        finally:
            control.stop()
            await running


def is_connected(events: list[NodeEvent]) -> bool:
    """Whether it is now: a router that cannot be told of the measuring is left for its time."""
    return [e.state for e in events if isinstance(e, LinkChanged)][-1] == "connected"


def was_measured(events: list[NodeEvent]) -> bool:
    return any(isinstance(event, SpeedMeasured) for event in events)


async def answer(server: str, model: str) -> tuple[str, Finished]:
    """Ask as a consumer does."""
    body = ChatBody(model=model, messages=(ChatMessage(role="user", content="Say hello"),))
    async with RouterClient(server) as router, aclosing(router.chat(body)) as answer:
        updates = [update async for update in answer]
    text = "".join(update.text for update in updates if isinstance(update, TextPiece))
    assert isinstance(updates[-1], Finished)
    return text, updates[-1]


def check_nothing_was_passed_on(ollama: OwnersOllama) -> None:
    assert ollama.bodies
    for body in ollama.bodies:
        assert set(body) <= RELAYED_KEYS
        assert body["messages"]


async def test_a_chat_through_the_router_leaves_the_owners_model_as_it_was(
    ollama: OwnersOllama, tmp_path: Path
) -> None:
    settings = Settings.model_construct(host="127.0.0.1", port=0, address_limits=False)
    before = await ollama.loaded()
    async with running_router(settings) as router:
        async with shared(router.url, ollama, tmp_path / "today.json") as events:
            await wait_until(lambda: was_measured(events), "the speed", within=60)
            text, finished = await answer(router.url, ollama.model.name)
    assert any(word.isalpha() for word in text.split())
    assert (finished.reason, finished.usage is not None) == ("stop", True)
    measured = next(event for event in events if isinstance(event, SpeedMeasured))
    assert (measured.tokens_per_second or 0) > 1
    assert await ollama.loaded() == before
    assert before["models"][0]["expires_at"].startswith("2318")
    check_nothing_was_passed_on(ollama)


async def test_the_same_through_the_original_routers_protocol(
    ollama: OwnersOllama, tmp_path: Path
) -> None:
    before = await ollama.loaded()
    async with OriginalRouter() as router:
        async with shared(router.url, ollama, tmp_path / "today.json") as events:
            await wait_until(lambda: was_measured(events), "the speed", within=60)
            await wait_until(lambda: is_connected(events), "the node to be connected")
            text, _ = await answer(router.url, ollama.model.name)
            unload = {"model": ollama.model.name, "messages": [], "keep_alive": 0}
            refused = await router.ask(unload)
    assert any(word.isalpha() for word in text.split())
    assert [frame["error"] for frame in refused] == ["invalid_request"]
    assert set(router.register) >= {"type", "node_id", "models", "max_concurrent"}
    assert router.register["models"][0]["size"] == ollama.model.size
    chunks = [frame for frame in router.frames if frame["type"] == "inference_chunk"]
    assert chunks[-1]["chunk"]["done_reason"] == "stop"
    assert all(isinstance(chunk["chunk"]["message"]["content"], str) for chunk in chunks)
    assert await ollama.loaded() == before
    check_nothing_was_passed_on(ollama)


async def test_a_keep_alive_that_came_through_would_be_seen(ollama: OwnersOllama) -> None:
    before = await ollama.loaded()
    async with httpx.AsyncClient(trust_env=False) as client:
        body = {"model": ollama.model.name, "messages": [], "keep_alive": 0}
        await client.post(f"{ollama.url}/api/chat", json=body)
    assert await ollama.loaded() != before
