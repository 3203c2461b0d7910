"""The shape of every answer that is not 2xx."""

from aiohttp import web
from aiohttp.typedefs import Handler

from idleclaw_protocol.refusal import Refusal
from idleclaw_server.errors import RequestRefused


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


@web.middleware
async def plain_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals of the core and of aiohttp into that shape."""
    try:
        return await handler(request)
    except RequestRefused as error:
        return refuse(error.status, str(error), models=error.models, retry_after=error.retry_after)
    except ConnectionError:
        # The peer left in the middle of a handshake: nobody reads this, and nothing is wrong here.
        return refuse(400, "The connection is gone.")
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        refusal = refuse(error.status, error.reason)
        if "Allow" in error.headers:
            refusal.headers["Allow"] = error.headers["Allow"]
        return refusal
