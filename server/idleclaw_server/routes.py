"""The paths of the router's HTTP side, and the shape of every refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from idleclaw_server import status_view
from idleclaw_server.chat_api import MAX_BODY_BYTES, chat, refuse
from idleclaw_server.core import RouterCore
from idleclaw_server.node_socket import serve_node
from idleclaw_server.open_connections import OpenConnections

View = Callable[[RouterCore, float], BaseModel]

PRODUCT_VERSION: Final = version("idleclaw")
_VIEWS: Final[Mapping[str, View]] = {
    "/health": status_view.health,
    "/metrics": status_view.metrics,
    "/api/models": lambda core, _: status_view.model_list(core),
    "/api/network": lambda core, now: status_view.network(core, PRODUCT_VERSION, now),
}


def application(
    core: RouterCore, chats: OpenConnections, nodes: OpenConnections
) -> web.Application:
    """Return the router's application; `chats` and `nodes` count what is open on it."""

    async def post_chat(request: web.Request) -> web.StreamResponse:
        with chats.one_more():
            return await chat(request, core)

    async def node_socket(request: web.Request) -> web.StreamResponse:
        if hdrs.SEC_WEBSOCKET_PROTOCOL in request.headers:
            return refuse(400, "This endpoint speaks no subprotocol.")
        if not web.WebSocketResponse().can_prepare(request):
            return refuse(404, "Not Found")
        with nodes.one_more():
            return await serve_node(request, core)

    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_plain_refusals])
    for path, view in _VIEWS.items():
        app.router.add_get(path, _status(core, view), allow_head=False)
    app.on_response_prepare.append(_anonymous)
    app.router.add_post("/api/chat", post_chat)
    app.router.add_get("/ws/node", node_socket, allow_head=False)
    return app


async def _anonymous(request: web.Request, response: web.StreamResponse) -> None:
    """Do not tell strangers which versions run here."""
    response.headers["Server"] = "idleclaw"


def _status(core: RouterCore, view: View) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        body = view(core, asyncio.get_running_loop().time())
        return web.Response(text=body.model_dump_json(), content_type="application/json")

    return answer


@web.middleware
async def _plain_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        refusal = refuse(error.status, error.reason)
        if "Allow" in error.headers:
            refusal.headers["Allow"] = error.headers["Allow"]
        return refusal
