"""Nodes that want more than their share, on real sockets."""

from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from idleclaw_server.service import Router
from tests.defences.running import at, defended, node_at
from tests.router.consumer import Answer, asking, body
from tests.router.scripted_node import MODEL, ScriptedNode
from tests.waiting import wait_until


async def _join(
    stack: AsyncExitStack, router: Router, node_id: str, address: str = "127.0.0.1"
) -> ScriptedNode:
    node = await stack.enter_async_context(node_at(router.url, address))
    answer = await node.register(node_id, secret="s3cret")
    assert answer["type"] == "registered", answer
    return node


async def test_the_fourth_node_of_an_address_is_refused() -> None:
    """A4: one machine is at most three nodes, however many connections it opens."""
    async with defended() as router, AsyncExitStack() as nodes:
        for number in range(3):
            await _join(nodes, router, f"n{number}")
        async with node_at(router.url) as fourth:
            await fourth.send(type="register", node_id="n4", models=[{"name": MODEL, "size": 1}])
            assert await fourth.close_frame() == (1008, "too many nodes from this IP")
        await _join(nodes, router, "other", "127.0.0.2")
        assert len(router.core.registry) == 4


async def test_a_node_that_comes_back_does_not_count_twice() -> None:
    """A4: a takeover of one's own connection is no fourth node, and frees nothing either."""
    async with defended(registrations_per_minute=0) as router, AsyncExitStack() as nodes:
        for number in range(3):
            await _join(nodes, router, f"n{number}")
        for _ in range(5):
            await _join(nodes, router, "n0")
        await wait_until(lambda: router.nodes_open == 3, "the old connections to be gone")
        async with node_at(router.url) as fourth:
            await fourth.send(type="register", node_id="n4", models=[{"name": MODEL, "size": 1}])
            assert (await fourth.close_frame())[1] == "too many nodes from this IP"


async def test_a_place_is_free_again_when_a_node_has_left() -> None:
    async with defended(nodes_per_address=1, registrations_per_minute=0) as router:
        for number in range(3):
            async with AsyncExitStack() as nodes:
                await _join(nodes, router, f"n{number}")
            await wait_until(lambda: len(router.core.registry) == 0, "the node to be gone")


async def test_models_that_only_embed_are_neither_offered_nor_asked() -> None:
    """A24: an embedding model never gets a chat, whether its node says so or its name does."""
    models: list[dict[str, object]] = [
        {"name": MODEL, "size": 1},
        {"name": "nomic-embed-text", "size": 2},
        {"name": "bge-m3", "size": 3, "capabilities": ["embedding"]},
    ]
    async with defended() as router, node_at(router.url) as node, at(router.url) as http:
        await node.send(type="register", node_id="a", models=models)
        await node.frame()
        assert (await http.get("/api/models")).json()["models"] == [MODEL]
        network = (await http.get("/api/network")).json()
        assert network["nodes"][0]["models"] == [MODEL]
        for name in ("nomic-embed-text", "bge-m3"):
            refused = await http.post("/api/chat", json=body(model=name))
            assert refused.status_code == 503
            assert refused.json()["detail"] == f"No nodes available with model {name}"


async def test_one_node_cannot_declare_anothers_model_unable_to_chat() -> None:
    """A6: a node that calls a chat model an embedding one speaks for itself alone."""
    async with defended() as router, AsyncExitStack() as stack:
        liar = await stack.enter_async_context(node_at(router.url))
        model = {"name": MODEL, "size": 1, "capabilities": ["embedding"]}
        await liar.send(type="register", node_id="liar", models=[model])
        await liar.frame()
        honest = await _join(stack, router, "honest", "127.0.0.2")
        async with asking(router.url) as answer:
            await honest.answer((await honest.asked()).request_id, "hello")
            assert await answer.text() == "hello"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8000"])
async def test_a_web_page_cannot_be_a_node(origin: str) -> None:
    """A28: a page its visitor opens must not join the router on the visitor's own machine."""
    async with defended() as router:
        with pytest.raises(InvalidStatus) as refused:
            async with node_at(router.url, headers={"origin": origin}):
                pass
        assert refused.value.response.status_code == 403


async def test_the_operators_own_page_may_be_a_node() -> None:
    async with defended(cors_origins="https://chat.example") as router:
        async with node_at(router.url, headers={"origin": "https://chat.example"}) as node:
            assert (await node.register("a"))["type"] == "registered"


async def test_a_hundred_invented_models_are_a_bounded_number_of_labels() -> None:
    """A26: whatever nodes call their models, the metrics stay small."""
    async with defended(nodes_per_address=0, registrations_per_minute=0) as router:
        async with AsyncExitStack() as stack, at(router.url) as http:
            for number in range(5):
                node = await stack.enter_async_context(node_at(router.url))
                await node.register(f"n{number}", [f"junk{number}-{m}" for m in range(20)])
            headers = {"accept": "text/plain"}
            text = (await http.get("/metrics", headers=headers)).text
        lines = [line for line in text.splitlines() if line.startswith("idleclaw_model_nodes{")]
        assert len(lines) == 51
        assert 'idleclaw_model_nodes{model="other"} 50.0' in lines


async def test_what_one_address_does_is_felt_by_no_other() -> None:
    """A18: a machine that uses up all it may have leaves the chat of another as it was."""
    async with defended() as router, AsyncExitStack() as stack, at(router.url) as greedy:
        honest = await _join(stack, router, "honest", "127.0.0.2")
        for _ in range(70):
            await greedy.get("/health")
        async with at(router.url, "127.0.0.3") as http:
            async with http.stream("POST", "/api/chat", json=body()) as response:
                await honest.answer((await honest.asked()).request_id, "as ever")
                assert await Answer(response).text() == "as ever"
