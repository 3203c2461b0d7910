"""Chats of the router client over real sockets, with both kinds of router and hostile ones."""

import asyncio
from contextlib import aclosing

import pytest

from idleclaw_tui.router.chat_stream import BROKEN_OFF, TOO_LONG
from idleclaw_tui.router.chat_updates import Finished, TextPiece, ThinkingPiece, Waiting
from idleclaw_tui.router.client import SILENT, RouterClient
from tests.client.asking import BODY, answer
from tests.fake_router_http import (
    DONE,
    ORIGINAL_DONE,
    ORIGINAL_PING,
    Cut,
    FakeRouter,
    Hold,
    Pause,
    Raw,
    Step,
    chunk,
    comment,
    event,
    finish,
    original_text,
    text,
    thinking,
    waiting,
)
from tests.waiting import wait_until


async def test_tokens_arrive_one_by_one(router: FakeRouter, client: RouterClient) -> None:
    gate = asyncio.Event()
    router.script = [waiting("queued", 1), comment(), text("Hel"), Hold(gate), text("lo"), finish()]
    async with aclosing(client.chat(BODY)) as updates:
        assert await anext(updates) == Waiting("queued", 1)
        assert await anext(updates) == TextPiece("Hel")
        gate.set()
        assert await anext(updates) == TextPiece("lo")
        finished = await anext(updates)
        assert isinstance(finished, Finished)
        assert finished.reason == "stop"
        with pytest.raises(StopAsyncIteration):
            await anext(updates)


async def test_the_body_is_what_both_routers_read(router: FakeRouter, client: RouterClient) -> None:
    await answer(client, BODY.model_copy(update={"think": True}))
    [chat] = router.chats
    assert chat.body == {
        "model": "tiny:1b",
        "messages": [{"role": "user", "content": "hi ✨"}],
        "think": True,
    }
    assert chat.headers["Content-Type"] == "application/json"
    assert chat.headers["Accept"] == "text/event-stream"


async def test_the_original_router(router: FakeRouter, client: RouterClient) -> None:
    router.script = [
        ORIGINAL_PING,
        original_text("hm", reasoning=True),
        original_text("Grüße\u2028 \x85"),
        ORIGINAL_PING,
        ORIGINAL_DONE,
    ]
    assert await answer(client) == [
        ThinkingPiece("hm"),
        TextPiece("Grüße\n \n"),
        Finished(None),
    ]
    router.script = [original_text("\n\n[Error: Node n1 disconnected]"), ORIGINAL_DONE]
    [finished] = await answer(client)
    assert isinstance(finished, Finished)
    assert finished.reason == "error"
    assert "n1" not in (finished.error or "")


async def test_line_separators_and_byte_cuts_do_not_break_events(
    router: FakeRouter, client: RouterClient
) -> None:
    data = event(chunk({"content": "a\u2028b\u0085c\u2029d\U0001f980"})).data
    router.script = [*(Raw(bytes([byte])) for byte in data), finish(), DONE]
    assert (await answer(client))[0] == TextPiece("a\nb\nc\nd\U0001f980")


async def test_utf8_is_read_whatever_charset_is_claimed(
    router: FakeRouter, client: RouterClient
) -> None:
    router.stream_headers = {"Content-Type": "text/event-stream; charset=utf-16"}
    router.script = [text("Grüße"), Raw(b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n')]
    assert (await answer(client))[:2] == [TextPiece("Grüße"), TextPiece("\ufffd")]


@pytest.mark.parametrize("first", [text("Hel"), waiting("loading")])
async def test_closing_the_answer_closes_the_connection(
    router: FakeRouter, client: RouterClient, first: Raw
) -> None:
    router.script = [first, Hold(asyncio.Event())]
    async with aclosing(client.chat(BODY)) as updates:
        await anext(updates)
    await asyncio.wait_for(router.chats[0].disconnected.wait(), 5)


async def test_cancelling_before_the_first_event_closes_the_connection(
    router: FakeRouter, client: RouterClient
) -> None:
    router.script = [Hold(asyncio.Event())]
    asking = asyncio.create_task(answer(client))
    await wait_until(lambda: router.chats, "the request")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(router.chats[0].disconnected.wait(), 5)


async def test_a_finished_answer_leaves_the_connection_usable(
    router: FakeRouter, client: RouterClient
) -> None:
    for _ in range(3):
        await answer(client)
    assert [chat.disconnected.is_set() for chat in router.chats] == [False] * 3
    assert len({chat.peer for chat in router.chats}) == 1


async def test_several_answers_at_once(router: FakeRouter, client: RouterClient) -> None:
    gate = asyncio.Event()
    router.script = [text("x"), Hold(gate), finish(), DONE]
    asking = [asyncio.create_task(answer(client)) for _ in range(8)]
    await wait_until(lambda: len(router.chats) == 8, "all requests")
    gate.set()
    for updates in await asyncio.gather(*asking):
        assert updates[0] == TextPiece("x")


@pytest.mark.parametrize("cut", [Cut(), Raw(b"")])
async def test_a_cut_answer_keeps_its_text(
    router: FakeRouter, client: RouterClient, cut: Cut | Raw
) -> None:
    router.script = [text("Hel"), cut]
    assert await answer(client) == [TextPiece("Hel"), Finished("error", error=BROKEN_OFF)]


async def test_silence_ends_the_answer(router: FakeRouter) -> None:
    router.script = [text("Hel"), Hold(asyncio.Event())]
    async with RouterClient(router.url, read_seconds=0.3) as client:
        assert await answer(client) == [TextPiece("Hel"), Finished("error", error=SILENT)]


async def test_comments_count_as_life(router: FakeRouter) -> None:
    pings = [step for _ in range(4) for step in (comment(), Pause(0.2))]
    router.script = [*pings, text("Hello"), finish(), DONE]
    async with RouterClient(router.url, read_seconds=0.6) as client:
        assert TextPiece("Hello") in await answer(client)


async def test_a_line_without_end_does_not_fill_memory(
    router: FakeRouter, client: RouterClient
) -> None:
    endless: list[Step] = [Raw(b"data: "), *[Raw(b"x" * 65536)] * 64, Hold(asyncio.Event())]
    router.script = [text("Hel"), *endless]
    assert await answer(client) == [TextPiece("Hel"), Finished("error", error=TOO_LONG)]
    await asyncio.wait_for(router.chats[0].disconnected.wait(), 5)


async def test_a_router_that_never_hangs_up_after_the_end(
    router: FakeRouter, client: RouterClient
) -> None:
    router.script = [text("Hello"), finish(), Hold(asyncio.Event())]
    updates = await asyncio.wait_for(answer(client), 10)
    assert isinstance(updates[-1], Finished)
    assert updates[-1].reason == "stop"


async def test_thinking_and_text(router: FakeRouter, client: RouterClient) -> None:
    router.script = [thinking("hm\x1b[2J"), text("Hi\x07"), finish("length"), DONE]
    updates = await answer(client)
    assert updates[:2] == [ThinkingPiece("hm"), TextPiece("Hi")]
