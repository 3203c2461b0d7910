"""What an operator looks at: health, metrics, nodes, origins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from idleclaw_server.metrics_text import wants_text
from idleclaw_server.model_counts import MAX_LABELS, OTHER, ModelCounts
from tests.defences.running import at, defended, node_at
from tests.router.consumer import body, client
from tests.router.running import routing
from tests.router.scripted_node import MODEL, registered

TOKEN = "a-token-of-some-length"


def _value(text: str, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


async def test_alive_is_not_ready() -> None:
    async with defended() as router, at(router.url) as http:
        empty = await http.get("/health/ready")
        assert (empty.status_code, empty.json()["status"]) == (503, "no nodes")
        assert (await http.get("/health")).json()["status"] == "healthy"
        async with registered(router.url) as node:
            ready = await http.get("/health/ready")
            assert (ready.status_code, ready.json()) == (200, {"status": "ready", "node_count": 1})
            await node.heartbeat(available=False, reason="paused")
            await node.settled()
            assert (await http.get("/health/ready")).status_code == 503
            await node.heartbeat(available=True)
            await node.settled()
            router.core.drain()
            draining = await http.get("/health/ready")
            assert (draining.status_code, draining.json()["status"]) == (503, "draining")
            assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/plain", True),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,"
            "*/*;q=0.2",
            True,
        ),
        ("application/json;q=0.9,text/plain;q=0.1", False),
        ("text/plain;q=0", False),
        ("text/plain;q=nan", False),
        ("text/plain;q=;version=💥", False),
        (",;,;=", False),
    ],
)
def test_which_form_of_the_metrics_is_meant(accept: str, text: bool) -> None:
    assert wants_text(accept) is text


@given(st.text())
def test_no_accept_header_is_an_exception(accept: str) -> None:
    wants_text(accept)


async def test_the_metrics_as_prometheus_reads_them() -> None:
    async with routing() as router, registered(router.url) as node, client(router.url) as http:
        async with http.stream("POST", "/api/chat", json=body()) as response:
            await node.answer((await node.asked()).request_id, "x")
            await response.aread()
        for _ in range(3):
            await http.post("/api/chat", json=body(model='no\n"such" model'))
        answer = await http.get("/metrics", headers={"accept": "text/plain"})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text
    assert _value(text, "idleclaw_nodes") == 1
    assert _value(text, "idleclaw_requests_total") == 1
    assert _value(text, "idleclaw_model_nodes", model=MODEL) == 1
    assert _value(text, "idleclaw_chats_asked_total", model=MODEL) == 1
    assert _value(text, "idleclaw_chats_asked_total", model="other") == 3
    responses = {"path": "/api/chat", "status": "503"}
    assert _value(text, "idleclaw_http_responses_total", **responses) == 3
    assert "such" not in text


async def test_invented_paths_are_one_label() -> None:
    """A26: what strangers ask for never becomes the name of a series."""
    async with routing() as router, client(router.url) as http:
        for number in range(50):
            await http.get(f"/nothing/{number}")
        text = (await http.get("/metrics", headers={"accept": "text/plain"})).text
    assert _value(text, "idleclaw_http_responses_total", path="other", status="404") == 50
    assert "nothing" not in text


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=400))
def test_the_sum_of_asked_chats_is_right_however_many_models_there_are(
    asked: list[tuple[int, bool]],
) -> None:
    """A26: labels are bounded, and no count is lost for it."""
    counts = ModelCounts()
    for done, (number, known) in enumerate(asked, 1):
        counts.add(f"model-{number}", known=known)
        assert counts.by_name.total() == done
        assert len(counts.by_name.keys() - {OTHER}) <= MAX_LABELS


def test_a_model_that_leaves_the_table_is_counted_as_another() -> None:
    """A26: the fifty asked for most keep their names."""
    counts = ModelCounts()
    for number in range(60):
        for _ in range(100 - number):
            counts.add(f"model-{number}", known=True)
    assert counts.by_name.total() == sum(100 - number for number in range(60))
    assert set(counts.by_name) == {OTHER, "model-59", *(f"model-{n}" for n in range(49))}


async def test_the_nodes_page_is_not_there_without_a_token() -> None:
    """A27: no default token, no default page."""
    async with defended() as router, at(router.url) as http:
        for header in ({}, {"authorization": "Bearer"}, {"authorization": "Bearer none"}):
            answer = await http.get("/admin/nodes", headers=header)
            assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    "header",
    [
        None,
        TOKEN,
        f"bearer {TOKEN}",
        f"Bearer  {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Basic eDp5",
        "Bearer " + "x" * 5000,
        "Bearer \xff\xfe",
    ],
)
async def test_who_does_not_know_the_token_gets_401(header: str | None) -> None:
    """A27: only exactly the token opens the page."""
    lines = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    async with defended(admin_token=TOKEN) as router, at(router.url) as http:
        answer = await http.get("/admin/nodes", headers=lines)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Unauthorized"})


async def test_guessing_the_token_is_limited_like_everything_else() -> None:
    """A27: there are as many guesses a minute as requests of any other kind."""
    async with defended(admin_token=TOKEN, others_per_minute=4) as router:
        async with at(router.url) as http:
            codes = [(await http.get("/admin/nodes")).status_code for _ in range(5)]
    assert codes == [401] * 4 + [429]


async def test_the_operator_sees_nodes_under_masked_addresses() -> None:
    """A27: even who knows the token learns no full address, of either family."""
    async with defended(admin_token=TOKEN, trusted_proxies="127.0.0.1") as router:
        async with node_at(router.url, headers={"x-forwarded-for": "203.0.113.9"}) as first:
            await first.register("n1\x1b[31m")
            async with node_at(
                router.url, headers={"x-forwarded-for": "2001:db8:1:2::5"}
            ) as second:
                await second.register("n2", ["a", "b"])
                async with at(router.url) as http:
                    headers = {"authorization": f"Bearer {TOKEN}"}
                    answer = await http.get("/admin/nodes", headers=headers)
    nodes = answer.json()["nodes"]
    assert [node["ip"] for node in nodes] == ["203.0.x.x", "2001:0db8:x:x:x:x:x:x"]
    assert [node["node_id"] for node in nodes] == ["n1", "n2"]
    assert nodes[1]["models"] == ["a", "b"]
    assert nodes[0]["active_requests"] == 0
    assert nodes[0]["connected_seconds"] == 0
    assert nodes[0]["ollama_version"] == "0.99.1"


def _preflight(origin: str) -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, x-other",
    }


async def test_an_allowed_page_may_ask_and_read() -> None:
    async with defended(cors_origins="https://a.example, https://b.example") as router:
        async with at(router.url) as http:
            asked = await http.options("/api/chat", headers=_preflight("https://b.example"))
            simple = await http.get("/health", headers={"origin": "https://a.example"})
            failed = await http.get("/nothing", headers={"origin": "https://a.example"})
            other = await http.get("/health", headers={"origin": "https://c.example"})
            wrong = await http.options("/api/chat", headers=_preflight("https://c.example"))
    assert (asked.status_code, asked.text) == (200, "OK")
    assert asked.headers["access-control-allow-origin"] == "https://b.example"
    methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert asked.headers["access-control-allow-methods"] == methods
    assert asked.headers["access-control-allow-headers"] == "content-type, x-other"
    assert asked.headers["access-control-max-age"] == "600"
    for answer in (simple, failed):
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in other.headers
    assert (wrong.status_code, wrong.text) == (400, "Disallowed CORS origin")
    assert "access-control-allow-origin" not in wrong.headers


async def test_pages_may_read_refusals_and_ask_for_free() -> None:
    """A24: a page learns that it asked too often; a browser's own question costs nothing."""
    page = {"origin": "https://a.example"}
    async with defended(cors_origins="https://a.example", chats_per_minute=1) as router:
        async with at(router.url) as http:
            for _ in range(5):
                preflight = await http.options("/api/chat", headers=_preflight(page["origin"]))
                assert preflight.status_code == 200
            assert (await http.post("/api/chat", json=body(), headers=page)).status_code == 503
            refused = await http.post("/api/chat", json=body(), headers=page)
    assert refused.status_code == 429
    assert refused.headers["access-control-allow-origin"] == "https://a.example"


async def test_streams_are_readable_for_an_allowed_page() -> None:
    async with defended(cors_origins="*") as router, registered(router.url) as node:
        async with at(router.url) as http:
            page = {"origin": "https://any.example"}
            async with http.stream("POST", "/api/chat", json=body(), headers=page) as response:
                await node.answer((await node.asked()).request_id, "x")
                await response.aread()
    assert response.headers["access-control-allow-origin"] == "https://any.example"


async def test_by_default_no_page_may_read_anything() -> None:
    async with defended() as router, at(router.url) as http:
        simple = await http.get("/health", headers={"origin": "https://a.example"})
        asked = await http.options("/api/chat", headers=_preflight("https://a.example"))
    assert not [name for name in simple.headers if name.startswith("access-control")]
    assert asked.status_code == 405
    assert not [name for name in asked.headers if name.startswith("access-control")]
