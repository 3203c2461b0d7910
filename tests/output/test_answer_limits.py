"""How much of an answer is delivered, and how it ends when there is more."""

from typing import Any

import pytest

from idleclaw_server.policy import Policy
from tests.router.consumer import asking, content, finish
from tests.router.running import routing
from tests.router.scripted_node import registered

_POLICY = Policy(max_content_chars=10, max_thinking_chars=6)


def _texts(events: list[dict[str, Any]], *, reasoning: bool = False) -> str:
    deltas = [event["choices"][0]["delta"] for event in events]
    return "".join(d.get("content", "") for d in deltas if bool(d.get("reasoning")) is reasoning)


@pytest.mark.parametrize(
    "pieces", [["123456789012345"], ["12345678", "9012345"], list("12345678901")]
)
async def test_what_fits_is_delivered_and_the_end_says_so(pieces: list[str]) -> None:
    """A9: old consumers read it as text, the node is cancelled, and its slot is free again."""
    async with routing(_POLICY) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            for piece in pieces:
                await node.chunk(asked.request_id, piece)
            *texts, end = await answer.rest()
            assert await node.cancelled() == asked.request_id
    assert _texts(texts) == "1234567890"
    assert finish(end) == "length"
    assert end["notice"] == "Cut here: an answer has at most 10 characters."
    assert content(end) == "\n\n[Cut here: an answer has at most 10 characters.]"


async def test_an_answer_that_just_fits_is_whole() -> None:
    async with routing(_POLICY) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.answer(asked.request_id, "12345", "67890")
            events = await answer.rest()
    assert _texts(events) == "1234567890"
    assert finish(events[-1]) == "stop"
    assert "notice" not in events[-1]


async def test_thinking_has_a_limit_of_its_own() -> None:
    async with routing(_POLICY) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "", message={"thinking": "hm"})
            await node.chunk(asked.request_id, "text")
            await node.chunk(asked.request_id, "", message={"thinking": "hmmmmm"})
            *texts, end = await answer.rest()
            assert await node.cancelled() == asked.request_id
    assert _texts(texts, reasoning=True) == "hmhmmm"
    assert _texts(texts) == "text"
    assert finish(end) == "length"
    assert end["notice"] == "Cut here: a model thinks at most 6 characters."


async def test_what_is_held_back_counts_and_never_passes_the_limit() -> None:
    async with routing(_POLICY) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "12345678<scr")
            await node.done(asked.request_id)
            *texts, end = await answer.rest()
    assert _texts(texts) == "12345678< "
    assert finish(end) == "length"


async def test_an_answer_in_one_large_chunk() -> None:
    """A9: the usual limit is 32,000 characters, and a chunk may bring more than that at once."""
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "x" * 40_000)
            *texts, end = await answer.rest()
    assert _texts(texts) == "x" * 32_000
    assert finish(end) == "length"


async def test_a_chunk_of_markup_alone_ends_the_answer_at_its_bound() -> None:
    """A9: no chunk keeps the router busy for long, even where nothing of it is delivered."""
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "<b>" * 40_000)
            *texts, end = await answer.rest()
            assert await node.cancelled() == asked.request_id
    assert "<b" not in _texts(texts)
    assert finish(end) == "length"


async def test_text_after_the_limit_is_dropped_and_the_node_is_not_closed() -> None:
    async with routing(_POLICY) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.answer(asked.request_id, "12345678901", "more", "and more")
            assert finish((await answer.rest())[-1]) == "length"
        async with asking(router.url) as answer:
            await node.answer((await node.asked()).request_id, "next")
            assert await answer.text() == "next"
