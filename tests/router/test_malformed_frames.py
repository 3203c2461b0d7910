"""Frames of a registered node that make no sense: its own end, nobody else's."""

import json
from typing import Any

import pytest

from tests.router.consumer import asking, content, finish
from tests.router.running import routing
from tests.router.scripted_node import Asked, registered


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        pytest.param("not json", 1007, "not valid JSON", id="text"),
        pytest.param("", 1007, "not valid JSON", id="empty"),
        pytest.param("{" * 1_000, 1007, "not valid JSON", id="nesting of objects"),
        pytest.param("[" * 1_000, 1007, "not valid JSON", id="nesting of lists"),
        pytest.param('{"a":[' + "[]," * 300_000 + "0]}", 1008, "too many values", id="values"),
        pytest.param('{"a": NaN}', 1007, "not valid JSON", id="NaN"),
        pytest.param('{"a": -Infinity}', 1007, "not valid JSON", id="infinity"),
        pytest.param('{"a": ' + "1" * 10_000 + "}", 1007, "not valid JSON", id="huge int"),
        pytest.param('{"a": "\\udfff"}', 1007, "not valid JSON", id="surrogate"),
        pytest.param("[1, 2]", 1008, "not a JSON object", id="list"),
        pytest.param('"x"', 1008, "not a JSON object", id="string"),
        pytest.param("null", 1008, "not a JSON object", id="null"),
        pytest.param(b"\x00\xff", 1008, "binary frames are not understood", id="binary"),
        pytest.param('{"type": "inference_chunk"}', 1008, "invalid request_id", id="no request_id"),
        pytest.param(
            '{"type": "inference_error", "request_id": [1]}',
            1008,
            "invalid request_id",
            id="list id",
        ),
        pytest.param(
            '{"type": "heartbeat", "active_requests": "many"}', 1008, "invalid heartbeat", id="beat"
        ),
        pytest.param(
            '{"type": "heartbeat", "node_id": {}}', 1008, "invalid heartbeat", id="beat of object"
        ),
        pytest.param(
            '{"type": "heartbeat", "active_requests": 1e999}', 1008, "invalid heartbeat", id="inf"
        ),
    ],
)
async def test_the_sender_is_closed_and_nobody_else_is_hurt(
    raw: str | bytes, code: int, reason: str
) -> None:
    """A9: one node's nonsense ends that connection with a code and a reason."""
    async with (
        routing() as router,
        registered(router.url, "good", ["good"]) as good,
        registered(router.url, "bad", ["bad"]) as bad,
        asking(router.url, model="good") as unhurt,
        asking(router.url, model="bad") as ended,
    ):
        await bad.asked()
        asked = await good.asked()
        await bad.raw(raw)
        assert await bad.close_frame() == (code, reason)
        assert (await ended.rest())[-1]["error"]["code"] == "node_lost"
        await good.answer(asked.request_id, "fine")
        assert await unhurt.text() == "fine"


async def test_a_frame_of_two_mebibytes_is_closed_with_1009() -> None:
    """A10: no frame larger than one MiB is ever held."""
    async with routing() as router, registered(router.url) as node:
        await node.raw('{"type": "x", "y": "' + "z" * 2_097_152 + '"}')
        code, _ = await node.close_frame()
    assert code == 1009


async def test_compression_is_not_negotiated() -> None:
    """A10: deflate would let 1 MB on the wire become 1 GB in memory."""
    from websockets.asyncio.client import connect

    async with routing() as router:
        address = router.url.replace("http", "ws", 1) + "/ws/node"
        async with connect(address, proxy=None) as socket:
            assert socket.response is not None
            assert "sec-websocket-extensions" not in socket.response.headers


_WRONG_CHUNKS: list[Any] = [
    None,
    "text",
    7,
    [],
    {"message": None, "done": False},
    {"message": "text", "done": False},
    {"message": {"content": 5}, "done": False},
    {"message": {"content": ["a"]}, "done": False},
    {"message": {"content": None}, "done": False},
    {"message": {"content": "x", "thinking": {"a": 1}}, "done": False},
    {"message": {"content": "x", "tool_calls": "no"}, "done": False},
    {"message": {"content": "x", "tool_calls": [{"function": None}]}, "done": False},
    {
        "message": {
            "content": "",
            "tool_calls": [{"function": {"name": "f", "arguments": None}}],
        },
        "done": False,
    },
    {"message": {"content": "", "tool_calls": [{}] * 17}, "done": False},
    {"message": {"content": "x"}, "done": "perhaps"},
    {"message": {"content": "x"}, "done": True, "eval_count": "lots"},
    {"message": {"content": "x"}, "done": True, "done_reason": {}},
]


@pytest.mark.parametrize("chunk", _WRONG_CHUNKS, ids=lambda chunk: json.dumps(chunk)[:60])
async def test_a_chunk_of_the_wrong_shape_ends_that_one_stream(chunk: object) -> None:
    """A9: the other stream of the same node goes on, and the connection stays."""
    async with (
        routing() as router,
        registered(router.url) as node,
        asking(router.url, "first") as first,
        asking(router.url, "second") as second,
    ):
        by_prompt = {asked.prompt: asked for asked in (await node.asked(), await node.asked())}
        await node.chunk(by_prompt["first"].request_id, "so far")
        await node.send(
            type="inference_chunk", request_id=by_prompt["first"].request_id, chunk=chunk
        )
        events = await first.rest()
        assert content(events[0]) == "so far"
        assert finish(events[-1]) == "error"
        assert events[-1]["error"]["code"] == "node_error"
        assert await node.cancelled() == by_prompt["first"].request_id
        await node.answer(by_prompt["second"].request_id, "fine")
        assert await second.text() == "fine"


async def test_unknown_types_and_extra_keys_are_ignored() -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.send(type="telemetry", request_id=asked.request_id)
        await node.send(type={"a": 1}, request_id=asked.request_id)
        await node.send(type=None)
        await node.send(
            type="inference_chunk",
            request_id=asked.request_id,
            seq=9,
            chunk={
                "model": "tiny:1b",
                "created_at": 1,
                "message": {"role": "assistant", "content": "hi", "images": None},
                "done": False,
            },
        )
        await node.done(asked.request_id)
        assert await answer.text() == "hi"


async def test_what_breaks_terminals_never_reaches_a_consumer() -> None:
    """A7: controls, escape sequences and bidi marks are gone, whatever the chunk borders are."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked: Asked = await node.asked()
        for piece in [
            "a\x1b]52;c;",
            "secret\x07b",
            "\x1b",
            "[31mc\x00\x07\x9b1",
            "mA\u202e\u2066d",
        ]:
            await node.chunk(asked.request_id, piece)
        await node.chunk(asked.request_id, "", message={"thinking": "t\x1b[1m\U000e0041u"})
        await node.done(asked.request_id, "\x1b[0me\x85f\u2028")
        events = await answer.rest()
    assert "".join(map(content, events)) == "abcAdtue\nf\n"


async def test_one_line_per_event_whatever_the_text_is() -> None:
    """A8: newlines, carriage returns, NUL and line separators cannot end an event early."""
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        asked = await node.asked()
        await node.answer(
            asked.request_id, "a\r\n\ndata: [DONE]\n\n", '\x00\u2029\u0085\x0bé☃😀"\\'
        )
        assert await answer.text() == 'a\n\ndata: [DONE]\n\n\n\n\né☃😀"\\'
