"""How a node joins, and with which code and reason it is turned away."""

import json
from contextlib import suppress

import anyio
import pytest
from websockets.exceptions import ConnectionClosed

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE
from idleclaw_server.policy import Policy
from tests.router.consumer import asking, client
from tests.router.running import pass_time, routing
from tests.router.scripted_node import connected, registered

_MODELS = [{"name": "tiny:1b", "size": 1}]
_REGISTER = {"type": "register", "node_id": "a", "models": _MODELS}


async def test_a_node_is_answered_with_its_own_id_and_the_features_of_the_router() -> None:
    async with routing() as router, connected(router.url) as node:
        answer = await node.register("alpha")
    assert answer.pop("features") in ([DECLINE, CANCEL_ACK], [CANCEL_ACK, DECLINE])
    assert answer.pop("alias").count("-") == 2
    assert answer == {"type": "registered", "node_id": "alpha"}


@pytest.mark.parametrize(
    ("first", "code", "reason"),
    [
        pytest.param({"type": "heartbeat"}, 1008, "expected register message", id="heartbeat"),
        pytest.param({}, 1008, "expected register message", id="empty"),
        pytest.param(_REGISTER | {"type": ["register"]}, 1008, "expected register message"),
        pytest.param(_REGISTER | {"node_id": ""}, 1008, "invalid node_id", id="empty id"),
        pytest.param(_REGISTER | {"node_id": "x" * 65}, 1008, "invalid node_id", id="long id"),
        pytest.param(_REGISTER | {"node_id": 5}, 1008, "invalid node_id", id="number as id"),
        pytest.param(_REGISTER | {"node_id": ["a"]}, 1008, "invalid node_id", id="list as id"),
        pytest.param(_REGISTER | {"models": []}, 1008, "no models provided", id="no models"),
        pytest.param(_REGISTER | {"models": "x"}, 1008, "no models provided", id="models text"),
        pytest.param(_REGISTER | {"models": None}, 1008, "no models provided", id="models null"),
        pytest.param(_REGISTER | {"models": _MODELS * 21}, 1008, "too many models", id="21"),
        pytest.param(_REGISTER | {"models": ["a"]}, 1008, "invalid model", id="model text"),
        pytest.param(
            _REGISTER | {"models": [{"name": "x" * 65, "size": 1}]}, 1008, "invalid model name"
        ),
        pytest.param(
            _REGISTER | {"models": [{"name": "a\x1b[2J", "size": 1}]}, 1008, "invalid model name"
        ),
        pytest.param(_REGISTER | {"models": [{"name": "a"}]}, 1008, "invalid model size"),
        pytest.param(
            _REGISTER | {"models": [{"name": "a", "size": 1.5}]}, 1008, "invalid model size"
        ),
        pytest.param(
            _REGISTER | {"models": [{"name": "a", "size": None}]}, 1008, "invalid model size"
        ),
        pytest.param(_REGISTER | {"max_concurrent": []}, 1008, "invalid max_concurrent"),
        pytest.param(_REGISTER | {"secret": "s" * 129}, 1008, "invalid secret", id="long secret"),
        pytest.param([_REGISTER], 1008, "not a JSON object", id="list"),
        pytest.param(7, 1008, "not a JSON object", id="number"),
    ],
)
async def test_wrong_registrations_are_refused(first: object, code: int, reason: str) -> None:
    async with routing() as router, connected(router.url) as node:
        await node.raw(json.dumps(first))
        assert await node.close_frame() == (code, reason)
        assert len(router.core.registry) == 0


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        ("{", 1007, "not valid JSON"),
        ("", 1007, "not valid JSON"),
        ('{"type": "register", "node_id": NaN}', 1007, "not valid JSON"),
        ('{"type": "register", "node_id": "\\ud800"}', 1007, "not valid JSON"),
        ('{"a":' * 5000 + "1" + "}" * 5000, 1007, "not valid JSON"),
        ('{"a":' + "9" * 5000 + "}", 1007, "not valid JSON"),
        (b"\x00\x01", 1008, "expected register message"),
    ],
)
async def test_registrations_that_are_not_json(raw: str | bytes, code: int, reason: str) -> None:
    """A9: JSON bombs and binary frames get a close code, never an exception."""
    async with routing() as router, connected(router.url) as node:
        await node.raw(raw)
        assert await node.close_frame() == (code, reason)


async def test_lax_registrations_of_old_nodes_are_accepted_and_clamped() -> None:
    async with routing() as router, connected(router.url) as node, client(router.url) as http:
        await node.send(
            type="register",
            node_id="\u202eid with any characters\n",
            models=[
                {"name": "a", "size": "7"},
                {"name": "a", "size": True},
                {"name": "b:1", "size": -5},
            ],
            max_concurrent=99,
            ollama_version=["x" * 10_000],
            extra={"future": 1},
        )
        assert (await node.frame())["type"] == "registered"
        network = (await http.get("/api/network")).json()
    assert network["totals"]["slots_total"] == 10
    assert {model["name"]: model["size"] for model in network["models"]} == {"a": 1, "b:1": 0}


async def test_what_a_node_says_of_itself_is_shown_only_where_it_is_of_the_known_kind() -> None:
    """A7: a node's own words, with or without escape sequences, end at the router."""
    model = {
        "name": "a",
        "size": 1,
        "family": "x\x1b]0;evil\x07",
        "quantization": "Q4\n" * 500,
        "parameter_size": "call 555-0100",
        "capabilities": ["completion", "buy now"],
    }
    async with routing() as router, connected(router.url) as node, client(router.url) as http:
        await node.send(
            type="register", node_id="n", models=[model], ollama_version="1\x9b31m\u202e2"
        )
        await node.frame()
        await node.heartbeat(available=False, reason="gone\x1b[2J\u2066 fishing")
        await node.settled()
        text = (await http.get("/api/network")).text
    assert '"reason":"by its owner"' in text
    assert '"ollama_version":null' in text
    assert '"parameter_size":null,"quantization":null' in text
    assert '"capabilities":["completion"]' in text
    assert len(text) < 2_000


async def test_a_connection_that_does_not_register_is_closed() -> None:
    """A14: silence ends after the register timeout, and pings do not stretch it."""
    async with routing(Policy(register_seconds=0.2)) as router, connected(router.url) as silent:
        async with connected(router.url) as pinging:
            with anyio.fail_after(3), suppress(ConnectionClosed):
                while True:
                    await pinging.settled()
            assert await pinging.close_frame() == (1008, "registration timeout")
        assert await silent.close_frame() == (1008, "registration timeout")


async def test_a_second_register_is_ignored() -> None:
    async with routing() as router, registered(router.url) as node, client(router.url) as http:
        await node.send(**(_REGISTER | {"node_id": "other", "models": [{"name": "z", "size": 1}]}))
        await node.settled()
        assert (await http.get("/api/models")).json()["models"] == ["tiny:1b"]


async def test_more_nodes_than_the_router_holds_are_told_to_try_later() -> None:
    async with routing(Policy(max_nodes=1)) as router, registered(router.url, "a", secret="s"):
        async with connected(router.url) as second:
            await second.send(**(_REGISTER | {"node_id": "b"}))
            assert await second.close_frame() == (1013, "too many nodes")
        async with registered(router.url, "a", secret="s"):
            assert len(router.core.registry) == 1, "a takeover needs no further room"


async def test_a_node_that_sends_no_heartbeat_is_evicted() -> None:
    """A13: 45 s of silence are the end, and what ran there is told so."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.chunk(asked.request_id, "half")
        await node.settled()
        pass_time(router, 40)
        await node.heartbeat(node_id="alpha", active_requests=1, available=True)
        await node.settled()
        pass_time(router, 44)
        assert len(router.core.registry) == 1
        pass_time(router, 46)
        assert await node.close_frame() == (1000, "heartbeat timeout")
        assert (await answer.rest())[-1]["error"]["code"] == "node_lost"


async def test_a_websocket_on_another_path_and_a_subprotocol_are_refused() -> None:
    """A26: a subprotocol's name is a stranger's text, it must not reach the log."""
    headers = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with routing() as router, client(router.url) as http:
        assert (await http.get("/ws/other", headers=headers)).status_code == 404
        evil = headers | {"sec-websocket-protocol": "evil"}
        assert (await http.get("/ws/node", headers=evil)).status_code == 400
