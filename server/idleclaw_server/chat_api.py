"""`POST /api/chat`: a consumer's request over the core, answered with server-sent events."""

import asyncio
import secrets
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from idleclaw_protocol.chat import ChatBody, Refusal
from idleclaw_protocol.limits import MAX_TOTAL_CHARS
from idleclaw_server.core import RouterCore
from idleclaw_server.errors import RequestRefused
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.sse import SseAnswer

MAX_BODY_BYTES: Final = 1_048_576
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


async def chat(request: web.Request, core: RouterCore) -> web.StreamResponse:
    """Relay one answer; the consumer's disconnect ends it at the node at once."""
    body = await _read_body(request, core.policy.body_seconds)
    loop = asyncio.get_running_loop()
    sink = SseAnswer(
        f"chatcmpl-{secrets.token_hex(6)}", body.model, loop, lambda: _cut(request.transport)
    )
    try:
        relay = core.submit(_inference(body, request.remote or ""), sink, loop.time())
    except RequestRefused as refusal:
        return refuse(
            refusal.status, str(refusal), models=refusal.models, retry_after=refusal.retry_after
        )
    response = web.StreamResponse(headers=_HEADERS)
    if request.transport is not None:
        # Without this, up to 64 KiB would count as read that the consumer has yet to take.
        request.transport.set_write_buffer_limits(high=0)
    try:
        await response.prepare(request)
        while data := await sink.take():
            await response.write(data)
        await response.write_eof()
    except ConnectionError:
        # The consumer left between two writes; nobody is there to be told.
        pass
    finally:
        core.life.consumer_left(relay, loop.time())
    return response


def refuse(
    status: int,
    detail: str,
    *,
    models: tuple[str, ...] = (),
    retry_after: int | None = None,
) -> web.Response:
    """Return an error answer: one sentence, never anything that was sent."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    refusal = Refusal(detail=detail, models=models or None)
    return web.Response(
        status=status,
        text=refusal.model_dump_json(exclude_none=True),
        content_type="application/json",
        headers=headers,
    )


async def _read_body(request: web.Request, seconds: float) -> ChatBody:
    if request.content_type != "application/json":
        raise _unprocessable("The body must be JSON with content-type application/json.")
    try:
        async with asyncio.timeout(seconds):
            raw = await request.read()
        body = ChatBody.model_validate_json(raw)
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            text=Refusal(detail="The body took too long.").model_dump_json(exclude_none=True),
            content_type="application/json",
        ) from None
    except ValidationError as error:
        raise _unprocessable(_first_fault(error)) from None
    if body.total_chars > MAX_TOTAL_CHARS:
        raise _unprocessable(
            f"Total payload too large: {body.total_chars} chars (max {MAX_TOTAL_CHARS})"
        )
    return body


def _inference(body: ChatBody, client: str) -> InferenceRequest:
    messages = tuple({"role": m.role, "content": m.content} for m in body.messages)
    return InferenceRequest(model=body.model, messages=messages, client=client, think=body.think)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"] if isinstance(part, int | str))
    known = ChatBody.model_fields.keys() | {"role", "content"}
    named = place and all(part in known or part.isdigit() for part in place.split("."))
    return f"{place}: {fault['msg']}" if named else "The body is not a valid chat request."


def _unprocessable(detail: str) -> web.HTTPUnprocessableEntity:
    return web.HTTPUnprocessableEntity(
        text=Refusal(detail=detail).model_dump_json(exclude_none=True),
        content_type="application/json",
    )


def _cut(transport: asyncio.Transport | None) -> None:
    if transport is not None:
        transport.abort()
