"""Text on its way from a node to consumers, over real sockets: every path is cleaned."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_server.policy import Policy
from tests.output.filtering import filtered, markdown, rendered_tags
from tests.router.consumer import asking, content, finish
from tests.router.running import routing
from tests.router.scripted_node import ScriptedNode, registered

_ATTACKS = (
    "\x1b]52;c;aGk=\x07",
    "\x1b[2J\x9b31m",
    "\u202etxt\u2066",
    "\U000e0041",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<<tool_call>{}</tool_call>",
    '"}]}\n\ndata: [DONE]\n\n',
    "\r\n\r\nevent: x\r\n",
    "\u2028data: x\u0085",
)


async def _deliver(node: ScriptedNode, request_id: str, key: str, text: str) -> None:
    if key == "thinking":
        await node.chunk(request_id, "", message={"thinking": text})
    else:
        await node.chunk(request_id, text)


@pytest.mark.parametrize("key", ["content", "thinking"])
@pytest.mark.parametrize("attack", _ATTACKS, ids=ascii)
async def test_an_attack_in_pieces_of_one_character(attack: str, key: str) -> None:
    """A7, A8: content and thinking are cleaned across every border of a chunk."""
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            for char in f"before {attack} after":
                await _deliver(node, asked.request_id, key, char)
            await node.done(asked.request_id)
            text = await answer.text()
    assert is_unsafe(text) is None
    assert rendered_tags(text) == []
    assert "alert" not in text
    assert text.startswith("before ")
    assert text == filtered(f"before {attack} after")


async def test_markup_in_the_last_chunk_and_what_was_held_before_it() -> None:
    """A7: the text beside "done" is cleaned and delivered, with what waited for it."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.chunk(asked.request_id, "a <scr")
        await node.done(asked.request_id, "ipt>x</script> b <i")
        text = await answer.text()
    assert text == "a  b < i"


async def test_what_is_held_comes_before_an_error_and_starts_nothing_behind_it() -> None:
    """A7: held text is delivered at every kind of end."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.chunk(asked.request_id, "so far <b")
        await node.error(asked.request_id, "</b><script>\x1b[31m")
        *texts, end = await answer.rest()
    assert "".join(map(content, texts)) == "so far < b"
    assert end["error"]["code"] == "node_error"
    assert "script" not in json.dumps(end)
    assert is_unsafe(json.dumps(end)) is None


async def test_what_is_held_or_taken_out_is_no_first_token() -> None:
    """A7: until something is visible, another node may take over, and nothing is mixed."""
    async with (
        routing() as router,
        registered(router.url, "first", slots=1) as first,
        asking(router.url) as answer,
        registered(router.url, "second", slots=1) as second,
    ):
        asked = await first.asked()
        await first.chunk(asked.request_id, "<script>x</script><b>")
        await first.chunk(asked.request_id, "<i")
        await first.error(asked.request_id)
        again = await second.asked()
        await second.answer(again.request_id, "> fine")
        assert await answer.text() == "> fine"


async def test_code_arrives_as_it_was() -> None:
    code = "```html\n<!DOCTYPE html>\n<script>let a = '<b>'</script>\n```\nuse `<b>`"
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        for at in range(0, len(code), 3):
            await node.chunk(asked.request_id, code[at : at + 3])
        await node.done(asked.request_id)
        assert await answer.text() == code


@pytest.mark.parametrize("error", ["\x1b[31m<script>", "x" * 300_000, {"a": ["b"]}, None, 7])
async def test_a_nodes_error_text_is_never_passed_on(error: object) -> None:
    """A7: the consumer reads the router's own sentence, whatever the node wrote."""
    async with routing(Policy(max_attempts=1)) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.send(type="inference_error", request_id=asked.request_id, error=error)
            (end,) = await answer.rest()
    assert finish(end) == "error"
    message = "The node's Ollama could not answer this. Ask again, or choose another model."
    assert end["error"] == {"code": "node_error", "message": message}


async def test_a_hostile_answer_stays_in_its_own_stream() -> None:
    """A1, A7: nothing of it is seen by the consumer beside it, and the router stays well."""
    async with (
        routing() as router,
        registered(router.url, "bad", ["bad"]) as bad,
        registered(router.url, "good", ["good"]) as good,
        asking(router.url, model="good") as unhurt,
        asking(router.url, model="bad") as hurt,
    ):
        asked, honest = await bad.asked(), await good.asked()
        for attack in _ATTACKS:
            await bad.chunk(asked.request_id, attack)
            await bad.chunk(honest.request_id, attack)
            await good.chunk(honest.request_id, "fine ")
        await bad.done(asked.request_id)
        await good.done(honest.request_id)
        assert await unhurt.text() == "fine " * len(_ATTACKS)
        assert is_unsafe(await hurt.text()) is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=markdown)
async def test_any_text_through_the_whole_router(text: str) -> None:
    """A7, A8: what is read at the other end of the sockets is what the filter says."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        for char in text:
            await node.chunk(asked.request_id, char)
        await node.done(asked.request_id)
        assert await answer.text() == filtered([text])
