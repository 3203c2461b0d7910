"""The built-in model for real: it answers in real words, and leaving it frees it."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator

import httpx
import ollama
import psutil
import pytest

from idleclaw_tui.local.engine import MODEL_NAME, Engine, EngineMissing, default_threads, find_model
from idleclaw_tui.local.ollama_api import EmbeddedOllama
from tests.local.built_in import ENDLESS, HELLO, engine_or_skip


async def aclose(stream: AsyncIterator[ollama.ChatResponse]) -> None:
    """Leave an answer in its middle."""
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The model is loaded once, for all tests of this module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Engine]:
    engine = engine_or_skip()
    yield engine
    await engine.stop()


@pytest.fixture(scope="module")
async def service(engine: Engine) -> AsyncIterator[EmbeddedOllama]:
    async with EmbeddedOllama.start(engine) as service:
        yield service


@pytest.fixture
async def client(service: EmbeddedOllama) -> AsyncIterator[ollama.AsyncClient]:
    async with ollama.AsyncClient(service.url, trust_env=False, timeout=60) as client:
        yield client


def test_what_is_missing_is_named_with_both_ways_out() -> None:
    with pytest.raises(EngineMissing, match=r"no_such_engine.*--extra local.*Ollama"):
        find_model(engine="no_such_engine")
    with pytest.raises(EngineMissing, match=r"no-such-carrier.*--extra local.*Ollama"):
        find_model(engine="json", carrier="no_such_carrier")
    with pytest.raises(EngineMissing, match="json"):
        find_model(engine="json", carrier="json")


def test_a_core_is_left_for_the_screen() -> None:
    assert 1 <= default_threads() <= max(1, (os.cpu_count() or 1) - 1)


@pytest.mark.real_model
async def test_real_words_come_token_by_token(client: ollama.AsyncClient) -> None:
    stream = await client.chat(model=MODEL_NAME, messages=HELLO, stream=True, options={"seed": 1})
    chunks = [chunk async for chunk in stream]
    texts, last = [chunk.message.content or "" for chunk in chunks[:-1]], chunks[-1]
    assert len(re.findall(r"[A-Za-z]{2,}", "".join(texts))) >= 3
    assert all(texts)
    assert last.eval_count is not None
    assert last.eval_count // 2 <= len(texts) <= last.eval_count
    assert (last.message.content, last.done_reason) == ("", "stop")
    assert last.prompt_eval_count
    assert last.eval_duration
    assert last.prompt_eval_duration
    assert last.total_duration
    assert last.total_duration >= last.eval_duration


@pytest.mark.real_model
async def test_a_whole_answer_and_its_limit(client: ollama.AsyncClient) -> None:
    answer = await client.chat(model=MODEL_NAME, messages=HELLO, options={"num_predict": 5})
    assert (answer.done_reason, answer.eval_count) == ("length", 5)
    assert answer.message.content


@pytest.mark.real_model
async def test_the_same_seed_gives_the_same_answer(client: ollama.AsyncClient) -> None:
    options = {"num_predict": 12, "temperature": 1.5, "seed": 7}
    first, second = [
        await client.chat(model=MODEL_NAME, messages=HELLO, options=options) for _ in "ab"
    ]
    assert first.message.content == second.message.content


@pytest.mark.real_model
async def test_a_stop_word_ends_the_answer(client: ollama.AsyncClient) -> None:
    schema = {"const": "one two three"}
    answer = await client.chat(
        model=MODEL_NAME, messages=HELLO, format=schema, options={"stop": ["two"]}
    )
    assert answer.message.content is not None
    assert "one" in answer.message.content
    assert "two" not in answer.message.content


@pytest.mark.real_model
async def test_a_schema_is_obeyed(client: ollama.AsyncClient) -> None:
    schema = {"enum": ["yes", "no"]}
    answer = await client.chat(model=MODEL_NAME, messages=HELLO, format=schema)
    assert (answer.message.content or "").strip() in ('"yes"', '"no"')


@pytest.mark.real_model
async def test_the_model_tells_the_truth_about_itself(client: ollama.AsyncClient) -> None:
    path = find_model()
    listed = (await client.list()).models[0]
    assert listed.details is not None
    assert (listed.model, listed.size) == (MODEL_NAME, path.stat().st_size)
    assert listed.details.quantization_level == "Q4_1"
    assert re.fullmatch(r"[0-9a-f]{64}", listed.digest or "")
    shown = await client.show(MODEL_NAME)
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["llama.context_length"] == 8192
    assert (await client.ps()).models[0].context_length == 4096


@pytest.mark.real_model
async def test_leaving_in_mid_answer_frees_the_slot(client: ollama.AsyncClient) -> None:
    unlimited = {"num_predict": -1}
    stream = await client.chat(
        model=MODEL_NAME, messages=HELLO, stream=True, format=ENDLESS, options=unlimited
    )
    await anext(stream)
    await aclose(stream)
    # The abandoned answer would have run for most of a minute.
    async with asyncio.timeout(15):
        await client.chat(model=MODEL_NAME, messages=HELLO, options={"num_predict": 1})


@pytest.mark.real_model
async def test_leaving_while_a_long_prompt_is_read_frees_the_slot(
    service: EmbeddedOllama, client: ollama.AsyncClient
) -> None:
    prompt = " ".join(f"word{number}" for number in range(600))
    body = {"model": MODEL_NAME, "messages": [{"role": "user", "content": prompt}]}
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/api/chat", json=body, timeout=0.5)
    async with asyncio.timeout(10):
        await client.chat(model=MODEL_NAME, messages=HELLO, options={"num_predict": 1})


@pytest.mark.real_model
async def test_a_killed_engine_is_an_error_and_comes_back(
    engine: Engine, client: ollama.AsyncClient
) -> None:
    stream = await client.chat(model=MODEL_NAME, messages=HELLO, stream=True, format=ENDLESS)
    await anext(stream)
    assert engine.pid is not None
    psutil.Process(engine.pid).kill()
    with pytest.raises(ollama.ResponseError, match="while running the model: unexpected EOF"):
        async for _ in stream:
            pass
    answer = await client.chat(model=MODEL_NAME, messages=HELLO, options={"num_predict": 2})
    assert answer.eval_count == 2
