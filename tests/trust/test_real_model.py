"""A6: the smallest real model on a real node keeps its good name."""

import asyncio
from datetime import UTC, datetime

import pytest

from idleclaw_server.service import Router
from idleclaw_tui.local.ollama_api import EmbeddedOllama
from idleclaw_tui.node.link import Node
from idleclaw_tui.ollama.bridge import OllamaBridge
from tests.defences.running import defended
from tests.local.built_in import engine_or_skip
from tests.waiting import wait_until

_COPIED = 4


@pytest.mark.real_model
async def test_an_honest_node_with_the_built_in_model_is_not_driven_out() -> None:
    engine = engine_or_skip()
    async with (
        EmbeddedOllama.start(engine) as ollama,
        OllamaBridge(ollama.url) as bridge,
        defended() as router,
    ):
        node = Node(router.url, bridge, on_event=lambda _: None)
        serving = asyncio.create_task(node.run())
        await wait_until(lambda: len(router.core.registry) == 1, "the node to join", within=30)
        (listed,) = router.core.registry
        loop = asyncio.get_running_loop()
        try:
            while _copied(router) < _COPIED:
                await wait_until(lambda: listed.is_idle, "the node to be idle")
                assert router.probing.start(listed, loop.time(), datetime.now(UTC).date())
                await wait_until(lambda: listed.is_idle, "the answer", within=60)
                router.probing.tick(loop.time(), datetime.now(UTC).date())
                assert not listed.standing.is_out
        finally:
            node.stop()
            await serving
    assert listed.standing.checks == sum(router.probing.outcomes.values())
    assert router.probing.outcomes["copying", "right"] >= 1, "it can write about what it is asked"


def _copied(router: Router) -> int:
    return sum(n for (kind, _), n in router.probing.outcomes.items() if kind == "copying")
