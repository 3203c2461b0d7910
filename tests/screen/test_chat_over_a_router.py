"""The Chat tab on a real router with a scripted node behind: stopping, and a router that leaves."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from idleclaw_server.service import Router, running_router
from idleclaw_tui.node.feed import NodeFeed
from idleclaw_tui.router.client import RouterClient
from idleclaw_tui.screen.app import IdleClawApp
from idleclaw_tui.sharing.local_sharing import LocalSharing
from tests.router.running import OPEN, routing
from tests.router.scripted_node import registered
from tests.screen.driving import FakeClock, Screen
from tests.screen.fakes import OLLAMA

STOP_SECONDS = 0.2


@asynccontextmanager
async def chatting(router: Router, clock: FakeClock | None = None) -> AsyncIterator[Screen]:
    """Open the screen on a router that has a node already."""
    client, sharing = RouterClient(router.url), LocalSharing(NodeFeed(), OLLAMA)
    app = IdleClawApp(client, sharing, router.url, clock=clock or time.monotonic)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = Screen(app, pilot)
        await screen.until_shown("1 node", "tiny:1b ·")
        yield screen


async def test_stopping_cancels_at_the_node_and_keeps_the_text() -> None:
    async with routing() as router, registered(router.url) as node, chatting(router) as screen:
        took = []
        for number in range(3):
            await screen.ask(f"Question {number}")
            asked = await node.asked()
            await node.chunk(asked.request_id, f"It was dark {number}")
            await screen.until_shown(f"It was dark {number}", "esc stop")
            pressed = time.monotonic()
            screen.chat.action_stop()
            assert await node.cancelled() == asked.request_id, "before anything else"
            took.append(time.monotonic() - pressed)
            await node.done(asked.request_id, " late")
            await screen.until_shown(f"It was dark {number}", "stopped after 1 token")
            assert "late" not in screen.text
        assert min(took) < STOP_SECONDS, took


async def test_a_router_that_dies_and_comes_back_answers_the_question() -> None:
    clock = FakeClock()
    async with running_router(OPEN) as first:
        port = int(first.url.rpartition(":")[2])
        async with registered(first.url), chatting(first, clock) as screen:
            await first.close()
            await screen.ask("Anyone?")
            await screen.until_shown("✕ No router answers", "retrying in 2 s")
            clock.now += 2.0
            await screen.until_shown("retrying in 4 s")
            settings = OPEN.model_copy(update={"port": port})
            async with running_router(settings) as second, registered(second.url) as node:
                clock.now += 4.0
                asked = await node.asked()
                assert asked.prompt == "Anyone?"
                await node.answer(asked.request_id, "I am back.")
                await screen.until_shown("I am back.", "✓ tiny:1b")
