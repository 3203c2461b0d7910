"""The bridge to Ollama over real sockets: discovery, streams, faults, cancellation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import httpx
import pytest
from aiohttp import web

from idleclaw_protocol.frames import Chunk
from idleclaw_tui.errors import UsageError
from idleclaw_tui.ollama.bridge import OllamaBridge
from idleclaw_tui.ollama.failures import OllamaFailure
from idleclaw_tui.ollama.http import BridgeTimeouts
from idleclaw_tui.ollama.relay_guard import GuardedRequest
from tests.fake_ollama import FakeOllama, Fault

MODEL = "smollm2:135m"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST = GuardedRequest(
    MODEL, b'{"model":"smollm2:135m","messages":[{"role":"user","content":"Hello?"}]}'
)
SECRET = "raw='the words of a stranger'"


@pytest.fixture
async def bridge(ollama: FakeOllama) -> AsyncIterator[OllamaBridge]:
    async with OllamaBridge(ollama.url) as opened:
        yield opened


async def answer(bridge: OllamaBridge) -> list[Chunk]:
    return [chunk async for chunk in bridge.chat(REQUEST)]


async def failure(bridge: OllamaBridge) -> OllamaFailure:
    with pytest.raises(OllamaFailure) as caught:
        await answer(bridge)
    return caught.value


async def test_an_answer_comes_piece_by_piece_and_ends_with_its_counts(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.thinking, ollama.done_text = ["Hm."], "!"
    calls = [{"id": "call_7", "function": {"index": 0, "name": "f", "arguments": {"a": [1]}}}]
    ollama.tool_calls = calls
    chunks = await answer(bridge)
    assert [chunk.message.content for chunk in chunks] == ["", "Hello", " there", ".", "", "!"]
    assert chunks[0].message.thinking == "Hm."
    assert chunks[-2].model_dump(exclude_none=True)["message"]["tool_calls"] == (
        {"id": "call_7", "function": {"name": "f", "arguments": {"a": [1]}}},
    )
    assert (chunks[-1].done, chunks[-1].done_reason) == (True, "stop")
    assert (chunks[-1].prompt_eval_count, chunks[-1].eval_count) == (1, 3)
    chat = await ollama.chat(0)
    await chat.ended.wait()
    assert not chat.aborted.is_set()


async def test_ollama_may_end_its_stream_by_itself(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.linger = asyncio.Event()
    task = asyncio.create_task(answer(bridge))
    chat = await ollama.chat(0)
    still_reading = not (await asyncio.wait([task], timeout=0.2))[0]
    ollama.linger.set()
    await chat.ended.wait()
    assert still_reading
    assert not chat.aborted.is_set()
    assert (await task)[-1].done


async def test_a_stream_that_is_never_ended_is_left_after_its_last_line(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.linger = asyncio.Event()
    assert (await answer(bridge))[-1].done
    await (await ollama.chat(0)).aborted.wait()


async def test_line_ends_of_unicode_inside_a_token_are_text(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.tokens = ["a\u0085b\u2028c\u2029d", "\U0001f600"]
    assert [c.message.content for c in await answer(bridge)] == [*ollama.tokens, ""]


async def test_the_request_carries_nothing_of_the_environment(
    ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-key")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with OllamaBridge(ollama.url) as bridge:
        await answer(bridge)
    headers = (await ollama.chat(0)).headers
    assert headers["Host"] == "localhost"
    assert not {"Authorization", "Origin"} & set(headers)


@pytest.mark.parametrize(
    ("status", "text", "cause", "code"),
    [
        (404, "model 'x' not found", "model_gone", "ollama_error"),
        (503, "server busy, please try again.", "busy", "ollama_unavailable"),
        (400, f"{SECRET} does not support tools", "refused", "invalid_request"),
        (403, "", "failed", "ollama_error"),
        (500, "model requires more system memory (9 GiB)", "failed", "ollama_error"),
        (500, f"error parsing tool call: {SECRET}", "failed", "ollama_error"),
        (302, "", "not_ollama", "ollama_unavailable"),
    ],
)
async def test_a_refusal_has_a_code_and_words_of_our_own(
    ollama: FakeOllama, bridge: OllamaBridge, status: int, text: str, cause: str, code: str
) -> None:
    ollama.refusals["/api/chat"] = (status, text)
    failed = await failure(bridge)
    assert (failed.cause, failed.code) == (cause, code)
    assert SECRET not in str(failed)


async def test_too_little_memory_is_said(ollama: FakeOllama, bridge: OllamaBridge) -> None:
    ollama.refusals["/api/chat"] = (500, "model requires more system memory (9 GiB) than is")
    assert "memory" in str(await failure(bridge))


@pytest.mark.parametrize("body", [b'"text"', b"5", b"[1]", b"", b"{", b"<html>", b"\xff\xfe"])
async def test_odd_error_bodies_are_failures_like_others(body: bytes) -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.Response(status=502, body=body)

    failed = await failure_of(odd)
    assert (failed.cause, failed.code) == ("failed", "ollama_error")


async def failure_of(handler: Handler) -> OllamaFailure:
    async with serving("POST", "/api/chat", handler) as url, OllamaBridge(url) as bridge:
        return await failure(bridge)


@asynccontextmanager
async def serving(method: str, path: str, handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"<html>", b'{"version": 5}', b" " * (8 * 2**20 + 1)]
)
async def test_an_answer_that_is_none_is_not_from_ollama(body: bytes) -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.Response(body=body)

    async with serving("GET", "/api/version", odd) as url, OllamaBridge(url) as bridge:
        with pytest.raises(OllamaFailure, match="no Ollama") as caught:
            await bridge.version()
    assert caught.value.cause == "not_ollama"


async def test_an_ollama_that_hangs_does_not_hang_the_node() -> None:
    asked = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    async with serving("GET", "/api/version", hang) as url:
        async with OllamaBridge(url, BridgeTimeouts(answer=0.2)) as bridge:
            with pytest.raises(OllamaFailure, match="No Ollama answers"):
                await bridge.version()
    assert asked.is_set()


async def gather(bridge: OllamaBridge, given: list[str]) -> None:
    async for chunk in bridge.chat(REQUEST):
        given.append(chunk.message.content)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut", 2),
        Fault("end", 0),
        Fault("end", 2),
        Fault("error", 0, SECRET),
        Fault("error", 2, SECRET),
        Fault("malformed", 2),
        Fault("oversized", 2),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.after}",
)
async def test_a_stream_that_goes_wrong_fails_after_what_it_gave(
    ollama: FakeOllama, bridge: OllamaBridge, fault: Fault
) -> None:
    ollama.fault = fault
    given: list[str] = []
    with pytest.raises(OllamaFailure) as caught:
        await gather(bridge, given)
    assert caught.value.code == "ollama_error"
    assert SECRET not in str(caught.value)
    assert fault.kind == "cut" or given == ["Hello", " there"][: fault.after]


async def test_no_ollama_is_told_with_what_to_do(ollama: FakeOllama, bridge: OllamaBridge) -> None:
    await ollama.stop()
    for call in (bridge.version, bridge.models, bridge.loaded):
        with pytest.raises(OllamaFailure, match="ollama serve") as caught:
            await call()
        assert caught.value.code == "ollama_unavailable"
    assert (await failure(bridge)).cause == "unreachable"


async def test_silence_before_the_first_token_has_its_own_limit(ollama: FakeOllama) -> None:
    ollama.first_token = asyncio.Event()
    async with OllamaBridge(ollama.url, BridgeTimeouts(first_token=0.2, gap=60)) as bridge:
        assert "0.2 s" in str(await failure(bridge))
    await (await ollama.chat(0)).aborted.wait()


async def test_silence_between_tokens_has_another(ollama: FakeOllama) -> None:
    ollama.gap = (2, asyncio.Event())
    async with OllamaBridge(ollama.url, BridgeTimeouts(first_token=60, gap=0.2)) as bridge:
        assert "0.2 s" in str(await failure(bridge))
    await (await ollama.chat(0)).aborted.wait()


async def test_cancelled_before_the_first_token_closes_the_connection(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.first_token = asyncio.Event()
    task = asyncio.create_task(answer(bridge))
    chat = await ollama.chat(0)
    task.cancel()
    await chat.aborted.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_the_stream_closes_the_connection(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.endless = True
    async with aclosing(bridge.chat(REQUEST)) as chunks:
        await anext(chunks)
        chat = await ollama.chat(0)
        assert not chat.aborted.is_set()
    await chat.aborted.wait()


async def test_many_cancelled_requests_leave_the_bridge_usable(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.first_token = asyncio.Event()
    for number in range(50):
        task = asyncio.create_task(answer(bridge))
        chat = await ollama.chat(number)
        task.cancel()
        await chat.aborted.wait()
    ollama.first_token = None
    assert len(await answer(bridge)) == 4
    assert ollama.in_flight == 0


@pytest.mark.parametrize("url", ["http://[::1", "http://a:b:c", "http://a:99999"])
def test_a_url_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(UsageError, match="OLLAMA_HOST"):
        OllamaBridge(url)


async def test_another_machine_is_addressed_by_its_own_name() -> None:
    async with OllamaBridge("http://ollama.lan:11434/base/") as bridge:
        call = bridge._http._http.build_request("GET", "/api/version")
        assert bridge.url == "http://ollama.lan:11434/base"
        assert call.headers["Host"] == "ollama.lan:11434"
        assert call.url == httpx.URL("http://ollama.lan:11434/base/api/version")
