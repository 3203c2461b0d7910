"""A fake Ollama, a fake router, and nodes between them, on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from idleclaw_tui.node_events import LinkChanged
from idleclaw_tui.node_link import Node
from idleclaw_tui.ollama_bridge import OllamaBridge
from tests.fake_ollama import FakeModel, FakeOllama
from tests.fake_router_ws import FakeRouter
from tests.node_events import ToldEvents


class Sharing(ToldEvents):
    """A running node with everything it has told."""

    node: Node
    task: asyncio.Task[None]

    async def link(self, state: str, matches: Callable[[Any], object] = lambda _: True) -> Any:
        return await self.event(
            lambda e: isinstance(e, LinkChanged) and e.state == state and matches(e)
        )


Share = Callable[..., AbstractAsyncContextManager[Sharing]]


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama([FakeModel(), FakeModel("big:8b", size=10**10)], num_parallel=4) as fake:
        yield fake


@pytest.fixture
async def router() -> AsyncIterator[FakeRouter]:
    async with FakeRouter() as fake:
        yield fake


@pytest.fixture
def share(ollama: FakeOllama, router: FakeRouter) -> Share:
    """Runs a node in a context, by default one that never waits before it connects again."""

    @asynccontextmanager
    async def run(**options: Any) -> AsyncIterator[Sharing]:
        sharing = Sharing(router)
        options.setdefault("uniform", lambda low, high: low)
        server = options.pop("server", router.url)
        bridge_type: type[OllamaBridge] = options.pop("bridge_type", OllamaBridge)
        async with bridge_type(ollama.url) as bridge:
            sharing.node = Node(server, bridge, on_event=sharing.note, **options)
            sharing.task = asyncio.create_task(sharing.node.run())
            try:
                yield sharing
            finally:
                sharing.node.stop_now()
                await sharing.task

    return run
