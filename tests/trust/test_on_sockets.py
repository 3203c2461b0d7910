"""A6: probes and standings in a router as it runs, seen by nodes, consumers and the operator."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from idleclaw_server.node import Node
from idleclaw_server.service import Router
from tests.defences.running import at, defended, node_at
from tests.router.consumer import asking, body, client
from tests.router.scripted_node import ScriptedNode, registered
from tests.trust import models
from tests.waiting import wait_until

TOKEN = "a-token-of-some-length"
_AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MODEL = "llama3.2:3b"


def _start(router: Router, node: Node) -> None:
    now = asyncio.get_running_loop().time()
    assert router.probing.start(node, now, datetime.now(UTC).date())


def _only(router: Router) -> Node:
    (node,) = router.core.registry
    return node


async def _checked(
    router: Router, node: ScriptedNode, model: models.Model, listed: Node | None = None
) -> None:
    """Let the router ask a node once, and judge what `model` says."""
    _start(router, listed or _only(router))
    asked = await node.asked()
    await node.answer(asked.request_id, model(asked.prompt))
    await node.settled()
    router.probing.tick(asyncio.get_running_loop().time(), datetime.now(UTC).date())


def _shape(value: Any) -> Any:
    """Return what is left of a frame without what differs between any two chats."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items() if key != "request_id"}
    return value


async def test_a_probe_has_the_shape_of_a_chat() -> None:
    """The same words before it, the same tools, a plain id, and no key more or less."""
    async with defended() as router, registered(router.url, models=[_MODEL]) as node:
        async with asking(router.url, model=_MODEL) as answer:
            chat = await node.frame()
            await node.answer(chat["request_id"], "Hello")
            await answer.rest()
        probe = None
        while probe is None or len(probe["ollama_params"]["messages"]) != 2:
            _start(router, _only(router))
            probe = await node.frame()
            await node.answer(probe["request_id"], "Hello")
            await node.settled()
            router.probing.tick(asyncio.get_running_loop().time(), datetime.now(UTC).date())
        for frame in (chat, probe):
            assert _UUID.fullmatch(frame["request_id"])
            assert frame["ollama_params"]["tools"]
            assert frame["ollama_params"]["messages"][-1].pop("content")
        assert list(probe) == list(chat)
        assert list(probe["ollama_params"]) == list(chat["ollama_params"])
        assert _shape(probe) == _shape(chat)


async def test_probes_begin_by_themselves() -> None:
    async with (
        defended(probes=True, probe_seconds=1) as router,
        registered(router.url) as node,
    ):
        for _ in range(2):
            asked = await node.asked()
            await node.answer(asked.request_id, models.able(asked.prompt))
        record = _only(router).standing
        await wait_until(lambda: record.checks >= 2, "the answers to be checked")
        assert record.honesty > 0.5


async def test_a_router_that_is_told_to_does_not_probe() -> None:
    """For as long as another one asks its node again and again."""
    async with (
        defended(probes=False, probe_seconds=1) as silent,
        registered(silent.url),
        defended(probes=True, probe_seconds=1) as probing,
        registered(probing.url) as node,
    ):
        for _ in range(2):
            await node.answer((await node.asked()).request_id)
        assert len(silent.probing) == 0
        assert not silent.probing.outcomes


async def test_rubbish_gets_no_more_chats_and_coming_back_does_not_help() -> None:
    """A4, A6: over real reconnects, until the answers are right again."""
    async with defended(registrations_per_minute=0) as router, client(router.url) as http:
        for connection in range(2):
            async with registered(router.url, "n", secret="its secret") as node:
                record = _only(router).standing
                while not record.is_out:
                    assert connection == 0, "the record is still there"
                    await _checked(router, node, models.rubbish)
                refused = await http.post("/api/chat", json=body())
                assert refused.status_code == 503
            await wait_until(lambda: len(router.core.registry) == 0, "the node to be gone")
        async with registered(router.url, "n", secret="its secret") as node:
            while _only(router).standing.is_out:
                await _checked(router, node, models.able)
            async with asking(router.url) as answer:
                await node.answer((await node.asked()).request_id, "Back again")
                assert await answer.text() == "Back again"


async def test_a_chat_on_the_only_slot_ends_the_probe_there() -> None:
    async with defended() as router, registered(router.url, slots=1) as node:
        _start(router, _only(router))
        probe = await node.asked()
        async with asking(router.url) as answer:
            assert await node.cancelled() == probe.request_id
            await node.answer((await node.asked()).request_id, "Here")
            assert await answer.text() == "Here"


async def test_a_probe_takes_no_ones_share_of_chats() -> None:
    """The limits are of addresses, and a probe comes from none."""
    async with (
        defended(chats_per_minute=1, chats_per_address=1) as router,
        registered(router.url, slots=2) as node,
    ):
        for _ in range(3):
            await _checked(router, node, models.able)
        async with asking(router.url) as answer:
            await node.answer((await node.asked()).request_id, "Mine")
            assert await answer.text() == "Mine"


async def test_a_router_that_ends_ends_its_probes_first() -> None:
    """While consumers still get the rest of their answers."""
    async with (
        defended() as router,
        registered(router.url, "probed", ["other:1b"]) as probed,
        registered(router.url, "serving") as serving,
        asking(router.url) as answer,
    ):
        chat = await serving.asked()
        listed = next(node for node in router.core.registry if node.node_id == "probed")
        _start(router, listed)
        probe = await probed.asked()
        draining = asyncio.create_task(router.drain(60))
        assert await probed.cancelled() == probe.request_id
        await serving.answer(chat.request_id, "The rest")
        assert await answer.text() == "The rest"
        await draining
        assert await probed.close_frame() == (1001, "server shutting down")


async def test_the_operator_sees_both_numbers() -> None:
    async with (
        defended(admin_token=TOKEN) as router,
        registered(router.url) as node,
        at(router.url) as http,
    ):
        await _checked(router, node, models.able)
        (row,) = (await http.get("/admin/nodes", headers=_AUTHORIZED)).json()["nodes"]
    assert (row["honesty"], row["reliability"], row["checks"], row["out"]) == (0.6, 1.0, 1, False)


async def test_only_the_operator_sees_how_probes_ended() -> None:
    """A26: by kind and outcome, whatever nodes do; strangers read nothing of it."""
    async with (
        defended(admin_token=TOKEN) as router,
        registered(router.url) as node,
        at(router.url) as http,
    ):
        for model in (models.able, models.rubbish, models.parrot) * 3:
            await _checked(router, node, model)
        text = {"Accept": "text/plain"}
        own = (await http.get("/metrics", headers={**text, **_AUTHORIZED})).text
        public = (await http.get("/metrics", headers=text)).text
    assert "probe" not in public
    assert "idleclaw_nodes_out" not in public
    samples = [
        sample
        for family in text_string_to_metric_families(own)
        for sample in family.samples
        if sample.name == "idleclaw_probes_total"
    ]
    assert sum(sample.value for sample in samples) == 9
    assert {sample.labels["outcome"] for sample in samples} == {"right", "wrong"}
    assert "idleclaw_nodes_out 0.0" in own or "idleclaw_nodes_out 1.0" in own


@pytest.mark.parametrize("path", ["/api/network", "/api/models", "/metrics", "/health"])
async def test_no_public_page_speaks_of_honesty(path: str) -> None:
    async with defended() as router, registered(router.url) as node, at(router.url) as http:
        await _checked(router, node, models.rubbish)
        page = (await http.get(path)).text
    assert not re.search("honest|reliab|probe|standing|trust", page)


async def test_what_an_operator_filters_from_answers_is_not_asked_for() -> None:
    """Else the filter's work would be held against nodes."""
    async with (
        defended(outbound_patterns='["(?i)the|[0-9]|, "]') as router,
        registered(router.url),
    ):
        now = asyncio.get_running_loop().time()
        assert not router.probing.start(_only(router), now, datetime.now(UTC).date())


async def test_nodes_of_one_address_cannot_excuse_each_other() -> None:
    """A6: what three nodes at one address cannot do is not taken for the model's weakness."""
    async with defended() as router:
        async with (
            node_at(router.url, "127.0.0.2") as one,
            node_at(router.url, "127.0.0.2") as two,
            node_at(router.url, "127.0.0.2") as three,
        ):
            peers = [one, two, three]
            for number, peer in enumerate(peers):
                await peer.register(f"n{number}")
            listed = list(router.core.registry)
            rounds = 0
            while not all(node.standing.is_out for node in listed):
                rounds += 1
                assert rounds <= 60, [node.standing.honesty for node in listed]
                for node, peer in zip(listed, peers, strict=True):
                    await _checked(router, peer, models.rubbish, node)
