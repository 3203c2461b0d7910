"""What may be asked: sizes, shapes and characters, and how the rest is refused."""

import json

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from idleclaw_protocol.chat import ChatBody
from tests.defences.running import at, defended
from tests.router.consumer import body
from tests.router.raw_http import tcp
from tests.router.scripted_node import MODEL, registered

_JSON = {"content-type": "application/json"}


def _raw(content: str, **more: str) -> bytes:
    extra = "".join(f',"{key}":{value}' for key, value in more.items())
    return (
        f'{{"model":"{MODEL}","messages":[{{"role":"user","content":{content}}}]{extra}}}'.encode()
    )


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_raw('"MARKER"', temperature="NaN"), id="NaN"),
        pytest.param(_raw('"MARKER"', temperature="-Infinity"), id="infinity"),
        pytest.param(_raw('"MARKER\\ud800"'), id="lone surrogate"),
        pytest.param(_raw('"MARKER\\udc00\\ud800"'), id="surrogates the wrong way round"),
        pytest.param(_raw('"x"', MARKER="[" * 5000 + "]" * 5000), id="nesting"),
        pytest.param(_raw('"x"', MARKER='{"a":' * 300 + "1" + "}" * 300), id="nested objects"),
        pytest.param(_raw('"x"', MARKER="9" * 5000), id="a huge number"),
        pytest.param(_raw('"MARKER"').replace(b'"user"', b'"system"'), id="system"),
        pytest.param(_raw('"MARKER"').replace(b'"user"', b'"tool"'), id="tool"),
        pytest.param(_raw('"MARKER"').replace(b'"user"', b'"MARKER"'), id="another role"),
        pytest.param(_raw('["MARKER"]'), id="a list"),
        pytest.param(_raw('{"MARKER":1}'), id="an object"),
        pytest.param(_raw('"MARKER'), id="no end"),
        pytest.param(_raw('"MARKER"') + b"MARKER", id="more behind"),
        pytest.param(_raw('"MARKER"').decode().encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + _raw('"MARKER"'), id="byte order mark"),
        pytest.param(_raw('"MARKER\xff"').replace(b"\xc3\xbf", b"\xff"), id="no UTF-8"),
        pytest.param(_raw('"MARKER\n"'), id="raw newline"),
        pytest.param(_raw('"x"', think='"MARKER"'), id="think is text"),
    ],
)
async def test_a_wrong_body_is_a_short_422_that_echoes_nothing(raw: bytes) -> None:
    """A9: bombs and nonsense are one more wrong body, answered in one sentence."""
    async with defended() as router, registered(router.url), at(router.url) as http:
        refused = await http.post("/api/chat", content=raw, headers=_JSON)
        assert router.core.counters.requests == 0
    assert refused.status_code == 422
    assert set(refused.json()) == {"detail"}
    assert len(refused.content) < 200
    assert "MARKER" not in refused.text


async def test_sixty_thousand_keys_are_refused_before_they_are_read() -> None:
    """A9: wide objects cost time and memory by the value."""
    extra = {f"k{number}": number for number in range(60_000)}
    async with defended() as router, at(router.url) as http:
        assert (await http.post("/api/chat", json=body() | extra)).status_code == 422


async def test_of_two_equal_keys_the_last_counts() -> None:
    """A9: what is checked is what is sent."""
    raw = _raw('"first"').replace(b'"user"', b'"system","role":"user"')
    async with defended() as router, registered(router.url) as node, at(router.url) as http:
        async with http.stream("POST", "/api/chat", content=raw, headers=_JSON) as response:
            asked = await node.asked()
            await node.answer(asked.request_id, "x")
            assert response.status_code == 200
            await response.aread()
    assert asked.params["messages"][-1] == {"role": "user", "content": "first"}


async def test_the_largest_legal_chat_reaches_the_node() -> None:
    """A10: a hundred thousand characters of four bytes each stay below a node's frame limit."""
    messages = [{"role": "user", "content": "🦀" * 10_000}] * 10
    async with defended() as router, registered(router.url) as node, at(router.url) as http:
        chat = {"model": MODEL, "messages": messages}
        async with http.stream("POST", "/api/chat", json=chat) as response:
            asked = await node.asked()
            await node.answer(asked.request_id, "x")
            assert response.status_code == 200
            await response.aread()
    assert asked.params["messages"][1:] == messages


async def test_a_body_that_says_it_is_huge_is_refused_before_it_is_sent() -> None:
    """A10: nothing is read of what is too large anyway."""
    async with defended() as router, tcp(router.url) as stream:
        await stream.send(
            b"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 99999999999\r\n\r\n"
        )
        with anyio.fail_after(5):
            answer = await stream.receive()
    assert answer.split(b" ")[1] == b"413"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_whatever_is_a_chat_is_within_its_limits(value: object) -> None:
    """A24: no shape gets around the limits of the schema."""
    for candidate in (value, body() | {"messages": value}, body() | {"model": value}):
        try:
            chat = ChatBody.model_validate(candidate)
        except ValidationError:
            continue
        assert 1 <= len(chat.model) <= 64
        assert 1 <= len(chat.messages) <= 50
        assert all(1 <= len(message.content) <= 10_000 for message in chat.messages)
        json.dumps(chat.model_dump())
