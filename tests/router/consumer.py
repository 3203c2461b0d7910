"""A consumer that reads its stream as strictly as the original's, over real HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx

from tests.router.scripted_node import MODEL

_PATIENCE_SECONDS = 10


class Answer:
    """An open answer. Whatever is not the framing of the wire fails the test."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.comments = 0
        self.ended = False
        self._blocks = event_blocks(response)

    async def event(self) -> dict[str, Any]:
        """Return the next event, passing over comments."""
        event = await self._next()
        assert event is not None, "the stream ended"
        return event

    async def rest(self) -> list[dict[str, Any]]:
        """Return all events that are left; `[DONE]` has to be the last thing on the stream."""
        events = []
        while (event := await self._next()) is not None:
            events.append(event)
        assert self.ended, "the stream was cut before [DONE]"
        return events

    async def text(self) -> str:
        """Return the content that is left, joined."""
        return "".join(map(content, await self.rest()))

    async def _next(self) -> dict[str, Any] | None:
        with anyio.fail_after(_PATIENCE_SECONDS):
            async for block in self._blocks:
                assert not self.ended, f"after [DONE]: {block!r}"
                assert "\n" not in block
                if block.startswith(": "):
                    self.comments += 1
                elif block == "data: [DONE]":
                    self.ended = True
                else:
                    return _event(block)
        return None


def content(event: dict[str, Any]) -> str:
    """Return the text of an event."""
    text = event["choices"][0]["delta"].get("content", "")
    assert isinstance(text, str)
    return text


def finish(event: dict[str, Any]) -> str | None:
    """Return the finish reason of an event."""
    reason = event["choices"][0].get("finish_reason")
    assert reason is None or isinstance(reason, str)
    return reason


def body(prompt: str = "hi", model: str = MODEL, **more: object) -> dict[str, Any]:
    """Return the body of a chat."""
    return {"model": model, "messages": [{"role": "user", "content": prompt}], **more}


@asynccontextmanager
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client for one router, untouched by the environment."""
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE_SECONDS, trust_env=False) as http:
        yield http


@asynccontextmanager
async def asking(
    url: str, prompt: str = "hi", model: str = MODEL, **more: object
) -> AsyncIterator[Answer]:
    """An answer on a connection of its own; leaving the context early disconnects."""
    async with client(url) as http:
        async with http.stream("POST", "/api/chat", json=body(prompt, model, **more)) as response:
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            yield Answer(response)


async def event_blocks(response: httpx.Response) -> AsyncIterator[str]:
    """Yield what stands between blank lines, up to the end or the loss of the stream."""
    buffer = b""
    try:
        async for data in response.aiter_raw():
            buffer += data
            while b"\n\n" in buffer:
                block, buffer = buffer.split(b"\n\n", 1)
                assert b"\r" not in block
                yield block.decode()
    except httpx.RemoteProtocolError:
        return
    assert not buffer, f"half an event at the end: {buffer!r}"


def _event(block: str) -> dict[str, Any]:
    assert block.startswith("data: "), block
    assert len(block.splitlines()) == 1, "a character at which some readers end a line"
    event = json.loads(block.removeprefix("data: "))
    assert event["object"] == "chat.completion.chunk"
    assert event["id"].startswith("chatcmpl-")
    assert isinstance(event["choices"], list)
    assert isinstance(event["choices"][0]["delta"], dict)
    assert event["choices"][0]["index"] == 0
    assert isinstance(event, dict)
    return event
