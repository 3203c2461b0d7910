"""`POST /api/chat`: a consumer's request over the core, answered with server-sent events."""

import asyncio
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Final

from aiohttp import HttpVersion11, web
from pydantic import ValidationError
from pydantic_core import from_json

from idleclaw_protocol.chat import ChatBody
from idleclaw_protocol.json_cost import has_too_many_values
from idleclaw_protocol.limits import MAX_TOTAL_CHARS
from idleclaw_protocol.refusal import Refusal
from idleclaw_server.chat_rules import ChatRules
from idleclaw_server.consumer_pipe import ConsumerPipe
from idleclaw_server.content_patterns import found_in
from idleclaw_server.core import RouterCore
from idleclaw_server.entrance import CLIENT
from idleclaw_server.errors import NotAllowed
from idleclaw_server.frame_turns import FrameTurns
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.sse import EVENT_STREAM, SseAnswer

MAX_BODY_BYTES: Final = 1_048_576
_LARGE_BODY_BYTES: Final = 32_768
"""Above it a body takes long enough to wait for its turn."""
_NO_CHAT: Final = "The body is not a valid chat request."


async def chat(
    request: web.Request, core: RouterCore, rules: ChatRules, turns: FrameTurns
) -> web.StreamResponse:
    """Relay one answer; the consumer's disconnect ends it at the node at once.

    Raises:
        RequestRefused: the chat does not start; nothing has been sent then.
    """
    body = await _read_body(request, core.policy.body_seconds, turns)
    await _check(body, rules)
    loop = asyncio.get_running_loop()
    pipe = ConsumerPipe(loop)
    sink = SseAnswer(f"chatcmpl-{secrets.token_hex(6)}", body.model, pipe)
    relay = core.submit(_inference(body, request[CLIENT].key, rules), sink, loop.time())
    response = web.StreamResponse(headers=EVENT_STREAM)
    try:
        await response.prepare(request)
        if request.transport is not None:
            pipe.start(request.transport, chunked=request.version >= HttpVersion11)
            await pipe.flushed()
            await response.write_eof()
    except ConnectionError:
        # The consumer left between two writes; nobody is there to be told.
        pass
    finally:
        core.life.consumer_left(relay, loop.time())
    return response


async def _read_body(request: web.Request, seconds: float, turns: FrameTurns) -> ChatBody:
    if request.content_type != "application/json":
        raise _unprocessable("The body must be JSON with content-type application/json.")
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, request.content_length)
    try:
        async with asyncio.timeout(seconds):
            raw = await request.read()
        parse = partial(_parsed, raw)
        body = await turns.alone(parse) if len(raw) > _LARGE_BODY_BYTES else parse()
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            text=Refusal(detail="The body took too long.").model_dump_json(exclude_none=True),
            content_type="application/json",
        ) from None
    except ValidationError as error:
        raise _unprocessable(_first_fault(error)) from None
    except ValueError:
        raise _unprocessable(_NO_CHAT) from None
    if body.total_chars > MAX_TOTAL_CHARS:
        raise _unprocessable(
            f"Total payload too large: {body.total_chars} chars (max {MAX_TOTAL_CHARS})"
        )
    return body


def _parsed(raw: bytes) -> ChatBody:
    if has_too_many_values(raw):
        raise ValueError("too many values")
    return ChatBody.model_validate(from_json(raw, allow_inf_nan=False))


async def _check(body: ChatBody, rules: ChatRules) -> None:
    if rules.refused is None:
        return
    texts = [message.content for message in body.messages]
    if await asyncio.to_thread(found_in, rules.refused, texts):
        raise NotAllowed("Message content not allowed")


def _inference(body: ChatBody, client: str, rules: ChatRules) -> InferenceRequest:
    messages = [{"role": m.role, "content": m.content} for m in body.messages]
    return rules.request(
        body.model,
        messages,
        client=client,
        think=body.think,
        today=datetime.now(UTC).date(),
    )


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"] if isinstance(part, int | str))
    known = ChatBody.model_fields.keys() | {"role", "content"}
    named = place and all(part in known or part.isdigit() for part in place.split("."))
    return f"{place}: {fault['msg']}" if named else _NO_CHAT


def _unprocessable(detail: str) -> web.HTTPUnprocessableEntity:
    return web.HTTPUnprocessableEntity(
        text=Refusal(detail=detail).model_dump_json(exclude_none=True),
        content_type="application/json",
    )
