"""The service in front of an engine that answers from a script: refusals, queue, faults, doors."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import ollama
import pytest

from idleclaw_tui.local.engine import EngineError, EngineRefusal
from idleclaw_tui.local.ollama_api import MAX_BODY_BYTES, MAX_QUEUE, EmbeddedOllama
from tests.local.facts import FACTS

MESSAGES = [{"role": "user", "content": "Say hello"}]
BODY = {"model": FACTS.name, "messages": MESSAGES}


class ScriptedEngine:
    """Answers with `tokens`, then `error` if there is one; waits for `release` before them."""

    slots = 1

    def __init__(self) -> None:
        self.tokens = ["Hel", "lo"]
        self.refusals: list[EngineRefusal] = []
        self.error: EngineError | None = None
        self.finish: str | None = "stop"
        self.release = asyncio.Event()
        self.release.set()
        self.requests: list[dict[str, Any]] = []
        self.running = 0
        self.max_running = 0
        self.started = asyncio.Event()
        self.closed = asyncio.Event()

    async def events(self, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        self.requests.append(request)
        if self.refusals:
            raise self.refusals.pop(0)
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        self.started.set()
        try:
            yield {"choices": [], "prompt_progress": {}}
            await self.release.wait()
            for token in self.tokens:
                yield {"choices": [{"delta": {"content": token}}]}
            if self.error is not None:
                raise self.error
            yield {"choices": [{"delta": {}, "finish_reason": self.finish}]}
        finally:
            self.running -= 1
            self.closed.set()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def service(engine: ScriptedEngine) -> AsyncIterator[EmbeddedOllama]:
    service = EmbeddedOllama(engine, FACTS)
    async with service.serving():
        yield service


@pytest.fixture
async def http(service: EmbeddedOllama) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=30) as client:
        yield client


async def test_the_official_client_reads_a_stream(service: EmbeddedOllama) -> None:
    async with ollama.AsyncClient(service.url, trust_env=False) as client:
        stream = await client.chat(model=FACTS.name, messages=MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
    assert [chunk.message.content for chunk in chunks] == ["Hel", "lo", ""]
    assert [chunk.done for chunk in chunks] == [False, False, True]
    assert chunks[-1].done_reason == "stop"


async def test_headers_are_held_back_until_the_first_token(
    engine: ScriptedEngine, service: EmbeddedOllama
) -> None:
    engine.release.clear()
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"model":"smollm2:135m","messages":[{"role":"user","content":"x"}]}'
    head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    first = asyncio.create_task(reader.readline())
    await asyncio.wait_for(engine.started.wait(), 30)
    assert not first.done()
    engine.release.set()
    assert await first == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_leaves_ends_the_answer_and_frees_the_slot(
    engine: ScriptedEngine, http: httpx.AsyncClient
) -> None:
    engine.release.clear()
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/api/chat", json=BODY, timeout=0.2)
    await asyncio.wait_for(engine.closed.wait(), 30)
    engine.release.set()
    assert (await http.post("/api/chat", json=BODY)).status_code == 200


async def test_chats_wait_for_the_slot_and_too_many_are_refused(
    engine: ScriptedEngine, service: EmbeddedOllama
) -> None:
    engine.release.clear()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=service.url, trust_env=False, timeout=60, limits=limits
    ) as http:
        asked = MAX_QUEUE + engine.slots + 3
        asking = [asyncio.create_task(http.post("/api/chat", json=BODY)) for _ in range(asked)]
        refused: set[asyncio.Task[httpx.Response]] = set()
        while len(refused) < 3:
            waiting = set(asking) - refused
            refused |= (await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED))[0]
        engine.release.set()
        statuses = [response.status_code for response in await asyncio.gather(*asking)]
    assert [task.result().status_code for task in refused] == [503] * 3
    assert "maximum pending requests exceeded" in refused.pop().result().json()["error"]
    assert (statuses.count(200), engine.max_running) == (MAX_QUEUE + engine.slots, 1)


async def test_a_death_in_mid_stream_is_an_error_line(
    engine: ScriptedEngine, service: EmbeddedOllama
) -> None:
    engine.error = EngineError("unexpected EOF")
    async with ollama.AsyncClient(service.url, trust_env=False) as client:
        stream = await client.chat(model=FACTS.name, messages=MESSAGES, stream=True)
        assert [(await anext(stream)).message.content for _ in "ab"] == ["Hel", "lo"]
        with pytest.raises(ollama.ResponseError, match="unexpected EOF"):
            await anext(stream)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_death_before_the_first_token_is_a_status(
    engine: ScriptedEngine, http: httpx.AsyncClient, stream: bool
) -> None:
    engine.tokens, engine.finish = [], None
    response = await http.post("/api/chat", json=BODY | {"stream": stream})
    assert response.status_code == 500
    assert response.json() == {
        "error": "an error was encountered while running the model: unexpected EOF"
    }


async def test_an_answer_without_a_token_still_ends(
    engine: ScriptedEngine, http: httpx.AsyncClient
) -> None:
    engine.tokens = []
    response = await http.post("/api/chat", json=BODY)
    assert response.json()["done"] is True


async def test_a_long_history_loses_its_oldest_messages(
    engine: ScriptedEngine, http: httpx.AsyncClient
) -> None:
    engine.refusals = [EngineRefusal(400, "too long", 8192, 4096)]
    messages = [{"role": "user", "content": f"{number:04d}"} for number in range(20)]
    response = await http.post("/api/chat", json=BODY | {"messages": messages})
    assert response.status_code == 200
    first, second = (request["messages"] for request in engine.requests)
    assert first == messages
    assert second == messages[-len(second) :]
    assert 0 < len(second) < 12


async def test_what_cannot_be_shortened_is_refused(
    engine: ScriptedEngine, http: httpx.AsyncClient
) -> None:
    engine.refusals = [EngineRefusal(400, "request (9000 tokens) exceeds", 9000, 4096)]
    response = await http.post("/api/chat", json=BODY)
    assert (response.status_code, response.json()) == (
        400,
        {"error": "request (9000 tokens) exceeds"},
    )


async def test_no_messages_only_loads(engine: ScriptedEngine, http: httpx.AsyncClient) -> None:
    answer = (await http.post("/api/chat", json={"model": FACTS.name})).json()
    assert (answer["done_reason"], answer["message"]["content"]) == ("load", "")
    assert engine.requests == []


async def test_the_lists_and_what_is_not_there(http: httpx.AsyncClient) -> None:
    assert (await http.get("/")).text == "Ollama is running"
    assert "version" in (await http.get("/api/version")).json()
    assert (await http.get("/api/tags")).json()["models"][0]["digest"] == FACTS.digest
    assert (await http.get("/api/ps")).json()["models"][0]["context_length"] == 4096
    show = await http.post("/api/show", json={"model": FACTS.name})
    assert show.json()["details"]["quantization_level"] == "Q4_1"
    missing = await http.post("/api/show", json={"model": "nope"})
    assert (missing.status_code, missing.json()) == (
        404,
        {"error": "model 'nope:latest' not found"},
    )
    assert (await http.get("/api/nothing")).text == "404 page not found"
    wrong = await http.post("/api/ps", json={})
    assert (wrong.status_code, wrong.text) == (405, "405 method not allowed")


@pytest.mark.parametrize("body", [b"{bad", b"[1]", b'{"model": NaN}', b"[" * 100_000, b"\xff"])
async def test_a_body_that_is_no_object_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post("/api/chat", content=body)
    assert response.status_code == 400
    assert response.json()["error"]


async def test_a_huge_body_is_refused(http: httpx.AsyncClient) -> None:
    response = await http.post("/api/chat", content=b" " * (MAX_BODY_BYTES + 1))
    assert response.status_code == 413


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
async def test_web_pages_are_kept_out(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await http.get("/api/tags", headers=headers)
    assert (response.status_code, response.content) == (403, b"")
    assert not [name for name in response.headers if name.startswith("access-control")]
