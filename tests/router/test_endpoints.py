"""The shapes of the HTTP endpoints, as old clients read them."""

import pytest

from tests.router.consumer import asking, body, client
from tests.router.running import routing
from tests.router.scripted_node import connected, registered
from tests.waiting import wait_until


async def test_health_has_what_the_originals_status_program_needs() -> None:
    async with routing() as router, registered(router.url), client(router.url) as http:
        health = (await http.get("/health")).json()
    assert health == {
        "status": "healthy",
        "uptime_seconds": health["uptime_seconds"],
        "node_count": 1,
    }
    assert isinstance(health["uptime_seconds"], int)


async def test_models_are_distinct_and_largest_first_with_capabilities() -> None:
    async with routing() as router, client(router.url) as http, connected(router.url) as node:
        await node.send(
            type="register",
            node_id="a",
            models=[
                {"name": "small:1b", "size": 1},
                {"name": "qwen3:8b", "size": 10**30},
                {"name": "nomic-embed-text:latest", "size": 5},
            ],
        )
        await node.frame()
        async with registered(router.url, "b", ["small:1b"]):
            listed = (await http.get("/api/models")).json()
    assert listed == {
        "models": ["qwen3:8b", "small:1b"],
        "capabilities": {
            "qwen3:8b": {"thinking": True, "tool_calls": True},
            "small:1b": {"thinking": False, "tool_calls": False},
        },
    }


async def test_busy_nodes_are_listed_too() -> None:
    async with routing() as router, registered(router.url, slots=1) as node:
        async with asking(router.url) as answer, client(router.url) as http:
            asked = await node.asked()
            assert (await http.get("/api/models")).json()["models"] == ["tiny:1b"]
            await node.answer(asked.request_id, "x")
            await answer.rest()


async def test_metrics_keep_the_names_of_the_original() -> None:
    async with routing() as router, registered(router.url, "a", ["x", "y"]) as node:
        async with registered(router.url, "b", ["y"]), client(router.url) as http:
            async with asking(router.url, model="x") as answer:
                running = (await http.get("/metrics")).json()
                await node.answer((await node.asked()).request_id, "x")
                await answer.rest()
            metrics = (await http.get("/metrics")).json()
    assert running["requests_active"] == 1
    assert running["requests_total"] == 0
    del metrics["uptime_seconds"]
    assert metrics == {
        "nodes_connected": 2,
        "nodes_registered_total": 2,
        "requests_total": 1,
        "requests_active": 0,
        "requests_errors_total": 0,
        "models_available": [{"name": "y", "node_count": 2}, {"name": "x", "node_count": 1}],
    }


async def test_the_network_view_names_no_node_id_and_counts_slots() -> None:
    async with routing() as router, registered(router.url, "secret-node-id", slots=3) as node:
        async with asking(router.url) as answer, client(router.url) as http:
            asked = await node.asked()
            response = await http.get("/api/network")
            await node.answer(asked.request_id, "x")
            await answer.rest()
    network = response.json()
    assert "secret-node-id" not in response.text
    assert network["totals"] == {
        "nodes": 1,
        "models": 1,
        "slots_total": 3,
        "running": 1,
        "queued": 0,
        "tokens_per_second": network["totals"]["tokens_per_second"],
    }
    assert network["models"][0]["slots_free"] == 2
    assert network["nodes"][0]["state"] == "serving"


@pytest.mark.parametrize(
    ("method", "path", "status", "detail", "allow"),
    [
        ("GET", "/nothing", 404, "Not Found", None),
        ("GET", "/ws/node", 404, "Not Found", None),
        ("GET", "/api/chat", 405, "Method Not Allowed", "POST"),
        ("POST", "/health", 405, "Method Not Allowed", "GET"),
        ("HEAD", "/health", 405, "", "GET"),
    ],
)
async def test_what_does_not_exist(
    method: str, path: str, status: int, detail: str, allow: str | None
) -> None:
    async with routing() as router, client(router.url) as http:
        response = await http.request(method, path)
    assert response.status_code == status
    assert response.headers.get("allow") == allow
    if detail:
        assert response.json() == {"detail": detail}
        assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"model": "m"}, id="no messages"),
        pytest.param(body() | {"model": ""}, id="empty model"),
        pytest.param(body() | {"model": "m" * 65}, id="long model"),
        pytest.param(body() | {"messages": []}, id="empty messages"),
        pytest.param(body() | {"messages": body()["messages"] * 51}, id="51 messages"),
        pytest.param(body(""), id="empty content"),
        pytest.param(body("x" * 10_001), id="long content"),
        pytest.param(body() | {"messages": [{"role": "system", "content": "x"}]}, id="system"),
        pytest.param(body() | {"messages": [{"role": "user", "content": None}]}, id="null"),
        pytest.param(body() | {"think": None}, id="think null"),
        pytest.param([], id="list"),
        pytest.param(None, id="null body"),
    ],
)
async def test_wrong_bodies_get_a_short_422_that_echoes_nothing(wrong: object) -> None:
    async with routing() as router, client(router.url) as http:
        response = await http.post("/api/chat", json=wrong)
    assert response.status_code == 422
    assert set(response.json()) == {"detail"}
    assert len(response.content) < 200
    assert "xxx" not in response.text


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"model":' + b"9" * 5000 + b"}"],
)
async def test_bodies_that_are_not_json_get_422(raw: bytes) -> None:
    """A9: nesting, numbers and bytes that break parsers are one more wrong body."""
    async with routing() as router, client(router.url) as http:
        response = await http.post(
            "/api/chat", content=raw, headers={"content-type": "application/json"}
        )
    assert response.status_code == 422
    assert response.json() == {"detail": "The body is not a valid chat request."}


async def test_a_lone_surrogate_is_422() -> None:
    async with routing() as router, registered(router.url), client(router.url) as http:
        raw = b'{"model":"tiny:1b","messages":[{"role":"user","content":"\\ud800"}]}'
        headers = {"content-type": "application/json"}
        response = await http.post("/api/chat", content=raw, headers=headers)
    assert response.status_code == 422


async def test_the_total_is_limited_with_the_originals_words() -> None:
    messages = [{"role": "user", "content": "x" * 10_000}] * 11
    async with routing() as router, client(router.url) as http:
        response = await http.post("/api/chat", json={"model": "m", "messages": messages})
    assert response.status_code == 422
    assert response.json() == {"detail": "Total payload too large: 110000 chars (max 100000)"}


async def test_another_content_type_is_422() -> None:
    async with routing() as router, client(router.url) as http:
        response = await http.post(
            "/api/chat", content=b"{}", headers={"content-type": "text/plain"}
        )
    assert response.status_code == 422


async def test_a_body_over_one_mebibyte_is_413() -> None:
    async with routing() as router, client(router.url) as http:
        response = await http.post("/api/chat", json=body("x" * 2_000_000))
    assert response.status_code == 413
    assert "detail" in response.json()


async def test_unknown_keys_are_ignored_and_think_is_lax() -> None:
    async with routing() as router, registered(router.url) as node, client(router.url) as http:
        async with http.stream(
            "POST", "/api/chat", json=body(temperature=7, options={"a": 1}, think="yes")
        ) as response:
            asked = await node.asked()
            await node.answer(asked.request_id, "x")
            assert response.status_code == 200
            await response.aread()
    assert set(asked.params) == {"model", "messages", "stream", "think"}
    assert asked.params["stream"] is True
    assert asked.params["think"] is False, "the model cannot think"


async def test_an_unknown_model_is_refused_at_once_with_the_nearest_names() -> None:
    async with routing() as router, client(router.url) as http:
        async with registered(router.url, models=["llama3.2:3b", "qwen3:8b"]):
            response = await http.post("/api/chat", json=body(model="llama3.2:1b"))
            assert response.status_code == 503
            assert response.json() == {
                "detail": "No nodes available with model llama3.2:1b",
                "models": ["llama3.2:3b"],
            }
        await wait_until(lambda: len(router.core.registry) == 0, "the node to be gone")
        response = await http.post("/api/chat", json=body(model="llama3.2:3b"))
        assert response.status_code == 503
        assert response.json() == {"detail": "No nodes available with model llama3.2:3b"}


async def test_no_answer_tells_the_versions_that_run_here() -> None:
    async with routing() as router, client(router.url) as http:
        servers = {(await http.get(path)).headers["server"] for path in ("/health", "/nothing")}
    assert servers == {"idleclaw"}
