"""A23: a router that means ill, or is broken, reaches neither Ollama nor other requests."""

import asyncio
from typing import Any

import pytest

from idleclaw_protocol.limits import MAX_FRAME_BYTES
from idleclaw_tui.node.events import RequestChanged
from tests.fake_ollama import FakeOllama
from tests.node.conftest import Share
from tests.waiting import wait_until

MODEL = "smollm2:135m"


@pytest.mark.parametrize(
    "params",
    [
        {"model": "unknown:1b"},
        {"model": "huge:cloud"},
        {"messages": [], "keep_alive": 0},
        {"messages": [{"role": "user", "content": "x", "images": ["/etc/passwd"]}]},
        {"messages": [], "keep_alive": "0s"},
        {"messages": [{"role": "user", "content": "x", "images": ["file:///etc/passwd"]}]},
        {"messages": [{"role": "user", "content": "x", "images": ["../../.ssh/id_rsa"]}]},
        {"messages": [{"role": "user", "content": "x", "images": ["C:\\\\secret.png"]}]},
        {"messages": [{"role": "user", "content": "x", "images": ["aGVsbG8="]}]},
        {"messages": [{"role": "user", "content": "x", "images": [{"path": "/etc/passwd"}]}]},
        {"messages": ["x"]},
        {"messages": [{"role": "user", "content": "x" * 10_001}]},
        {"messages": [{"role": "user", "content": "x"}] * 51},
        {"options": "x"},
        {"format": {"maxItems": 10**9}},
    ],
    ids=lambda params: str(params)[:90],
)
async def test_a_request_that_is_refused_never_reaches_ollama(
    ollama: FakeOllama, share: Share, params: dict[str, Any]
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(**params)
        assert await node.answer(request_id) == [
            {"type": "inference_error", "request_id": request_id, "error": "invalid_request"}
        ]
        ended = await sharing.ended()
    assert ended.state == "failed"
    assert ended.error is not None
    assert "refused" in ended.error
    assert ollama.chats == []


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "nonsense",
        "[]",
        "5",
        "null",
        "NaN",
        '"text"',
        "{}",
        '{"type": null}',
        '{"type": ["inference_request"]}',
        '{"type": "future_frame", "request_id": "x"}',
        '{"type": "registered", "node_id": "x"}',
        '{"type": "inference_request"}',
        '{"type": "inference_request", "request_id": 5, "ollama_params": {}}',
        '{"type": "inference_request", "request_id": "", "ollama_params": {}}',
        '{"type": "inference_request", "request_id": "%s", "ollama_params": {}}' % ("x" * 129),
        '{"type": "cancel_request"}',
        '{"type": "cancel_request", "request_id": {}}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": ' + "9" * 100_000 + "}",
        '{"a": "\\ud800"}',
        '{"type": "inference_request", "request_id": "x", "ollama_params": [%s0]}'
        % ("0, " * 10_000),
        b"\xff\xfe\x00",
    ],
    ids=lambda garbage: repr(garbage)[:50],
)
async def test_garbage_disturbs_no_running_request(
    ollama: FakeOllama, share: Share, garbage: str | bytes
) -> None:
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL)
        await ollama.chat(0)
        for _ in range(3):
            await node.send_raw(garbage)
        ollama.first_token.set()
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
    assert len(node.frames) == 4
    assert len(ollama.chats) == 1


HUGE_OPTIONS = {
    **{f"unknown{number}": number for number in range(9_000)},
    "num_ctx": 10**9,
    "num_gpu": 0,
    "num_thread": 512,
    "num_batch": 1,
    "main_gpu": 7,
    "use_mmap": False,
    "keep_alive": 0,
    "num_predict": 10**12,
    "temperature": 0.5,
}


async def test_huge_options_come_down_to_what_one_answer_may_ask(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        request_id = await node.request(model=MODEL, options=HUGE_OPTIONS, keep_alive=0, raw=True)
        assert (await node.answer(request_id))[-1]["chunk"]["done"]
    (chat,) = ollama.chats
    assert chat.body["options"] == {"num_predict": 4096, "temperature": 0.5}
    assert set(chat.body) == {"model", "messages", "stream", "options", "think"}


async def test_nothing_but_chats_and_looks_ever_reaches_ollama(
    ollama: FakeOllama, share: Share
) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        for path in ("/api/delete", "/api/pull", "/api/push", "/api/create"):
            await node.send(type=path, request_id="r1", ollama_params={"model": MODEL})
            await node.request(model=MODEL, path=path, url=f"{ollama.url}{path}")
        await wait_until(lambda: node.frames, "an answer")
    seen = {request.path for request in ollama.requests}
    assert seen <= {"/api/version", "/api/tags", "/api/ps", "/api/show", "/api/chat"}


async def test_an_unreadable_request_with_an_id_is_answered(share: Share) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        await node.send(type="inference_request", request_id="r1", ollama_params=[])
        assert (await node.answer("r1"))[0]["error"] == "invalid_request"


async def test_a_second_request_under_a_running_id_changes_nothing(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share(max_concurrent=4) as sharing:
        node = await sharing.connection()
        await node.request("twin", model=MODEL)
        await ollama.chat(0)
        await node.request("twin", model=MODEL)
        await node.send(type="inference_request", request_id="twin", ollama_params=None)
        ollama.first_token.set()
        frames = await node.answer("twin")
        await node.answer(await node.request("other", model=MODEL))
    assert [frame["type"] for frame in frames] == ["inference_chunk"] * 4
    assert len(ollama.chats) == 2


async def test_ten_thousand_requests_at_once_leave_one_running(
    ollama: FakeOllama, share: Share
) -> None:
    ollama.first_token = asyncio.Event()
    async with share() as sharing:
        node = await sharing.connection()
        for number in range(10_000):
            await node.request(f"r{number}", model=MODEL)
        await wait_until(lambda: len(node.frames) == 9_999, "all others to be declined")
        ollama.first_token.set()
        assert (await node.answer("r0"))[-1]["chunk"]["done"]
        assert (await node.answer(await node.request(model=MODEL)))[-1]["chunk"]["done"]
    told = [e for e in sharing.events if isinstance(e, RequestChanged) and e.state == "declined"]
    assert 1 <= len(told) < 1000
    assert len(ollama.chats) == 2


async def test_a_frame_over_the_limit_costs_the_router_its_connection(share: Share) -> None:
    async with share() as sharing:
        node = await sharing.connection()
        await node.send_raw("x" * (MAX_FRAME_BYTES + 1))
        await node.closed.wait()
        assert node.close_code == 1009
        told = await sharing.link("waiting")
        assert "more at once" in told.detail
        again = await sharing.connection(1)
        assert (await again.answer(await again.request(model=MODEL)))[-1]["chunk"]["done"]
