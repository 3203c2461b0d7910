"""The fake speaks Ollama's API as ollama's own client reads it, and its faults are real."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import ollama
import pytest

from tests.fake_ollama import FakeModel, FakeOllama, Fault

MODEL = "smollm2:135m"
MESSAGES = [{"role": "user", "content": "Say hello"}]
BODY = {"model": MODEL, "messages": MESSAGES}


@pytest.fixture
async def fake() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as server:
        yield server


@pytest.fixture
async def http(fake: FakeOllama) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.url, trust_env=False, timeout=30) as client:
        yield client


async def texts(client: ollama.AsyncClient, model: str = MODEL) -> list[str]:
    stream = await client.chat(model=model, messages=MESSAGES, stream=True)
    return [chunk.message.content or "" async for chunk in stream]


async def test_the_official_client_reads_a_stream_and_its_usage(fake: FakeOllama) -> None:
    fake.thinking, fake.done_text = ["Hm."], "!"
    async with ollama.AsyncClient(fake.url, trust_env=False) as client:
        stream = await client.chat(model=MODEL, messages=MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
    assert [c.message.content for c in chunks] == ["", "Hello", " there", ".", "!"]
    assert chunks[0].message.thinking == "Hm."
    assert [c.done for c in chunks] == [False] * 4 + [True]
    assert (chunks[-1].done_reason, chunks[-1].eval_count) == ("stop", 3)
    assert fake.chats[0].body["tools"] == []
    assert not fake.chats[0].aborted.is_set()


async def test_the_official_client_reads_a_whole_answer_and_the_lists(fake: FakeOllama) -> None:
    fake.models.append(FakeModel("cloud:cloud", remote_host="https://ollama.com"))
    async with ollama.AsyncClient(fake.url, trust_env=False) as client:
        whole = await client.chat(model=MODEL, messages=MESSAGES)
        listed = await client.list()
        running = await client.ps()
        shown = await client.show(MODEL)
    assert (whole.message.content, whole.done) == ("Hello there.", True)
    assert [model.model for model in listed.models] == [MODEL, "cloud:cloud"]
    assert [model.context_length for model in running.models] == [4096]
    assert shown.capabilities == ["completion"]


async def test_tool_calls_come_before_the_done_line(fake: FakeOllama) -> None:
    fake.models = [FakeModel(capabilities=("completion", "tools"))]
    fake.tool_calls = [{"id": "call_1", "function": {"name": "w", "arguments": {"a": 1}}}]
    async with ollama.AsyncClient(fake.url, trust_env=False) as client:
        stream = await client.chat(model=MODEL, messages=MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
    calls = chunks[-2].message.tool_calls
    assert calls is not None
    assert calls[0].function.arguments == {"a": 1}
    assert chunks[-1].done


async def test_headers_are_held_back_until_the_first_token(
    fake: FakeOllama, http: httpx.AsyncClient
) -> None:
    fake.first_token = asyncio.Event()
    asking = asyncio.create_task(http.post("/api/chat", json=BODY))
    chat = await fake.chat(0)
    assert not chat.started.is_set()
    assert not asking.done()
    fake.first_token.set()
    assert (await asking).status_code == 200


async def test_a_gap_lasts_until_its_event(fake: FakeOllama, http: httpx.AsyncClient) -> None:
    release = asyncio.Event()
    fake.gap = (2, release)
    async with http.stream("POST", "/api/chat", json=BODY) as response:
        lines = response.aiter_lines()
        assert [await anext(lines), await anext(lines)][1].count(" there") == 1
        assert fake.chats[0].tokens_sent == 2
        release.set()
        assert len([line async for line in lines]) == 2


async def test_a_cut_is_a_broken_connection(fake: FakeOllama, http: httpx.AsyncClient) -> None:
    fake.fault = Fault("cut", after=2)
    with pytest.raises(httpx.TransportError):
        await http.post("/api/chat", json=BODY)
    assert fake.chats[0].tokens_sent == 2
    assert not fake.chats[0].aborted.is_set()


@pytest.mark.parametrize(
    ("fault", "lines"),
    [(Fault("end", 1), 1), (Fault("malformed", 1), 2), (Fault("oversized", 1), 2)],
)
async def test_a_stream_without_done_ends_cleanly(
    fake: FakeOllama, http: httpx.AsyncClient, fault: Fault, lines: int
) -> None:
    fake.fault = fault
    text = (await http.post("/api/chat", json=BODY)).text
    assert len(text.splitlines()) == lines
    assert '"done":true' not in text


async def test_an_error_line_comes_with_status_200(fake: FakeOllama) -> None:
    fake.fault = Fault("error", after=1, text="the runner died")
    async with ollama.AsyncClient(fake.url, trust_env=False) as client:
        with pytest.raises(ollama.ResponseError, match="the runner died") as caught:
            await texts(client)
    assert caught.value.status_code == -1


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_a_refusal_comes_before_the_first_byte(fake: FakeOllama, status: int) -> None:
    fake.refusals["/api/chat"] = (status, "no")
    async with ollama.AsyncClient(fake.url, trust_env=False) as client:
        with pytest.raises(ollama.ResponseError, match="no") as caught:
            await texts(client)
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    ("extra", "status", "error"),
    [
        ({"model": "nope"}, 404, "model 'nope' not found"),
        ({"model": ""}, 400, "model is required"),
        ({"options": {"num_predict": "a"}}, 500, 'option "num_predict" must be of type integer'),
        (
            {"tools": [{"type": "function"}]},
            400,
            f"registry.ollama.ai/library/{MODEL} does not support tools",
        ),
        ({"think": True}, 400, f'"{MODEL}" does not support thinking'),
    ],
)
async def test_the_real_refusals(
    http: httpx.AsyncClient, extra: dict[str, object], status: int, error: str
) -> None:
    response = await http.post("/api/chat", json=BODY | extra)
    assert (response.status_code, response.json()) == (status, {"error": error})


async def test_a_clients_leaving_is_seen(fake: FakeOllama, http: httpx.AsyncClient) -> None:
    fake.endless = True
    async with http.stream("POST", "/api/chat", json=BODY) as response:
        await anext(response.aiter_lines())
    chat = fake.chats[0]
    await asyncio.wait_for(chat.aborted.wait(), 30)
    await asyncio.wait_for(chat.ended.wait(), 30)
    assert chat.aborted_at is not None


async def test_concurrency_is_counted_and_slots_are_few(
    fake: FakeOllama, http: httpx.AsyncClient
) -> None:
    fake.first_token = asyncio.Event()
    asking = [asyncio.create_task(http.post("/api/chat", json=BODY)) for _ in range(3)]
    await fake.chat(2)
    fake.first_token.set()
    await asyncio.gather(*asking)
    assert (fake.max_in_flight, fake.in_flight) == (3, 0)


async def test_it_comes_back_on_the_same_port(fake: FakeOllama, http: httpx.AsyncClient) -> None:
    await fake.stop()
    with pytest.raises(httpx.TransportError):
        await http.get("/")
    await fake.start()
    assert (await http.get("/")).text == "Ollama is running"
    assert [request.path for request in fake.requests] == ["/"]


async def test_loading_unloading_and_unknown_paths(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/chat", json={"model": MODEL})).json()["done_reason"] == "load"
    assert len((await http.get("/api/ps")).json()["models"]) == 1
    unload = {"model": MODEL, "messages": [], "keep_alive": 0}
    assert (await http.post("/api/chat", json=unload)).json()["done_reason"] == "unload"
    assert (await http.get("/api/ps")).json() == {"models": []}
    assert (await http.get("/api/nothing")).text == "404 page not found"
    assert (await http.post("/api/ps", json={})).status_code == 405
    assert (await http.get("/", headers={"Host": "evil.example"})).status_code == 403
    assert (await http.get("/", headers={"Host": "localhost"})).status_code == 200
    show = await http.post("/api/show", json={"model": "nope"})
    assert show.json() == {"error": "model 'nope:latest' not found"}
