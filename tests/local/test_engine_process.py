"""The process of the engine: closed to others, silent on the terminal, never left behind."""

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import ollama
import psutil
import pytest

from idleclaw_tui.local.engine import MODEL_NAME, Engine, EngineError
from idleclaw_tui.local.ollama_api import EmbeddedOllama
from tests.local.built_in import ENDLESS, HELLO, engine_or_skip


def wait_for_child() -> int:
    """The process id of the first child this process has, waiting until there is one."""
    while not (children := psutil.Process().children()):
        time.sleep(0.005)
    return children[0].pid


@pytest.mark.real_model
async def test_a_hung_engine_is_killed_and_comes_back() -> None:
    engine = engine_or_skip()
    engine.silence_seconds = 2
    request = {"messages": HELLO, "stream": True, "max_tokens": 400, "return_progress": True}
    try:
        events = engine.events(request)
        await anext(events)
        assert engine.pid is not None
        psutil.Process(engine.pid).suspend()
        with pytest.raises(EngineError, match="stopped answering"):
            async for _ in events:
                pass
        assert engine.pid is None
        assert [event async for event in engine.events(request | {"max_tokens": 1})]
    finally:
        await engine.stop()


@pytest.mark.real_model
async def test_llama_cpps_own_server_is_closed_to_others() -> None:
    engine = engine_or_skip()
    async with EmbeddedOllama.start(engine):
        assert engine.pid is not None
        listening = [
            connection.laddr
            for connection in psutil.Process(engine.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert [address.ip for address in listening] == ["127.0.0.1"]
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"http://127.0.0.1:{listening[0].port}"
            chat = await http.post(f"{url}/v1/chat/completions", json={"messages": HELLO})
            models = await http.get(f"{url}/v1/models")
            page = await http.options(f"{url}/health", headers={"Origin": "https://evil.example"})
        assert (chat.status_code, models.status_code) == (401, 401)
        assert not page.headers.get("access-control-allow-origin")


@pytest.mark.real_model
async def test_the_terminal_stays_clean_and_stopping_is_clean_in_mid_answer(
    capfd: pytest.CaptureFixture[str],
) -> None:
    engine = engine_or_skip()
    engine.context_length = 256
    async with EmbeddedOllama.start(engine) as service:
        pid = engine.pid
        async with ollama.AsyncClient(service.url, trust_env=False, timeout=60) as client:
            history = [{"role": "user", "content": "The sea is wide. " * 10}] * 20
            short = await client.chat(MODEL_NAME, history, options={"num_predict": 1})
            assert (short.prompt_eval_count or 999) < 256
            # llama.cpp complains about this one on stderr, whatever its log level.
            hostile = {"type": "string", "minLength": 10**9}
            with pytest.raises(ollama.ResponseError):
                await client.chat(MODEL_NAME, HELLO, format=hostile)
            stream = await client.chat(MODEL_NAME, HELLO, stream=True, format=ENDLESS)
            await anext(stream)
            await engine.stop()
            with pytest.raises(ollama.ResponseError, match="unexpected EOF"):
                async for _ in stream:
                    pass
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert capfd.readouterr() == ("", "")


@pytest.mark.real_model
async def test_a_file_that_is_no_model_is_a_clear_error(tmp_path: Path) -> None:
    engine_or_skip()
    (tmp_path / "model.gguf").write_bytes(b"GGUF, but not really")
    with pytest.raises(EngineError, match="The engine did not start"):
        await Engine(tmp_path / "model.gguf").start()


ORPHAN = """
import asyncio, os, signal
from idleclaw_tui.local.engine import Engine, find_model
async def main():
    engine = Engine(find_model())
    await engine.start()
    print(engine.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.real_model
async def test_the_engine_does_not_outlive_a_killed_parent() -> None:
    engine_or_skip()
    parent = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, check=False
    )
    pid = int(parent.stdout)
    if psutil.pid_exists(pid):
        await asyncio.to_thread(psutil.Process(pid).wait, 30)


@pytest.mark.real_model
async def test_giving_up_while_it_loads_leaves_nothing_behind() -> None:
    engine = engine_or_skip()
    starting = asyncio.create_task(engine.start())
    pid = await asyncio.to_thread(wait_for_child)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not psutil.pid_exists(pid)
    assert engine.pid is None


@pytest.mark.real_model
async def test_the_service_can_end_in_mid_answer() -> None:
    engine = engine_or_skip()
    async with AsyncExitStack() as left_open:
        async with EmbeddedOllama.start(engine) as service:
            client = ollama.AsyncClient(service.url, trust_env=False, timeout=60)
            await left_open.enter_async_context(client)
            stream = await client.chat(MODEL_NAME, HELLO, stream=True, format=ENDLESS)
            await anext(stream)
            pid = engine.pid
        assert pid is not None
        assert not psutil.pid_exists(pid)
        with pytest.raises((ollama.ResponseError, httpx.TransportError)):
            async for _ in stream:
                pass
