"""A router with tools, a node that calls them, and what both sides then see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from idleclaw_server.policy import Policy
from idleclaw_server.service import Router
from tests.router.consumer import Answer, asking, content
from tests.router.running import OPEN, routing
from tests.router.scripted_node import MODEL, Asked, ScriptedNode, connected
from tests.tools.searxng import SearxNG, searching

SEARCHED = [("web_search", "executing"), ("web_search", "done")]
"""What a consumer hears of one search."""


def texts(events: list[dict[str, Any]]) -> str:
    """Return what a consumer reads in these events."""
    return "".join(map(content, events))


@dataclass(frozen=True)
class Scene:
    """A consumer has asked, and the node has the request."""

    router: Router
    engine: SearxNG
    node: ScriptedNode
    answer: Answer
    asked: Asked


async def register(
    node: ScriptedNode, node_id: str, capabilities: list[str] | None, **about: object
) -> None:
    """Register a node whose model has these capabilities; None is an old node."""
    model: dict[str, object] = {"name": MODEL, "size": 1_000_000, **about}
    if capabilities is not None:
        model["capabilities"] = capabilities
    await node.send(type="register", node_id=node_id, models=[model], max_concurrent=1)
    assert (await node.frame())["type"] == "registered"


@asynccontextmanager
async def tool_scene(
    *, native: bool = True, policy: Policy | None = None, **settings: object
) -> AsyncIterator[Scene]:
    """A router that can search, one node, and one request at it."""
    capabilities = ["completion", "tools"] if native else ["completion"]
    async with searching() as engine:
        chosen = {"searxng_url": engine.url, "current_time_tool": True, **settings}
        async with (
            routing(policy, OPEN.model_copy(update=chosen)) as router,
            connected(router.url) as node,
        ):
            await register(node, "alpha", capabilities)
            async with asking(router.url, "how are otters?") as answer:
                yield Scene(router, engine, node, answer, await node.asked())


def native_call(
    name: str = "web_search", arguments: object = None, call_id: str | None = None
) -> dict[str, Any]:
    """Return one item of Ollama's `tool_calls`."""
    given = {"query": "otters"} if arguments is None else arguments
    call: dict[str, Any] = {"function": {"name": name, "arguments": given}}
    return call if call_id is None else {**call, "id": call_id}


async def call_tools(node: ScriptedNode, request_id: str, *calls: dict[str, Any]) -> None:
    """Answer a request with native calls and nothing else."""
    await node.chunk(request_id, "", message={"tool_calls": list(calls)})
    await node.done(request_id)


def tool_events(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the progress of tools that a consumer was told."""
    told = [event["choices"][0]["delta"].get("tool_call") for event in events]
    return [(progress["name"], progress["status"]) for progress in told if progress]
