"""The paths of the router's HTTP side, and what every request passes on its way to them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import hdrs, web
from pydantic import BaseModel

from idleclaw_server import configuration, status_view
from idleclaw_server.address_limits import AddressLimits
from idleclaw_server.admin_api import admin_nodes, is_operator
from idleclaw_server.chat_api import MAX_BODY_BYTES, chat
from idleclaw_server.core import RouterCore
from idleclaw_server.cors import Cors
from idleclaw_server.entrance import CLIENT, entrance
from idleclaw_server.expectations import expectation
from idleclaw_server.frame_turns import FrameTurns
from idleclaw_server.metrics_text import (
    PROMETHEUS_TYPE,
    ResponseCounts,
    prometheus_text,
    wants_text,
)
from idleclaw_server.model_counts import OTHER
from idleclaw_server.network_events import NetworkEvents
from idleclaw_server.node_socket import serve_node
from idleclaw_server.open_connections import OpenConnections
from idleclaw_server.probing import Probing
from idleclaw_server.refusals import plain_refusals, refuse
from idleclaw_server.settings import Settings

View = Callable[[RouterCore, float], BaseModel]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ELSEWHERE: Final = "elsewhere"
_VIEWS: Final[Mapping[str, View]] = {
    "/health": status_view.health,
    "/api/models": lambda core, _: status_view.model_list(core),
}


def application(
    core: RouterCore,
    settings: Settings,
    chats: OpenConnections,
    nodes: OpenConnections,
    network: NetworkEvents,
    probing: Probing,
) -> web.Application:
    """Return the router's application; `chats` and `nodes` count what is open on it."""
    responses: Counter[tuple[str, int]] = Counter()
    limits = AddressLimits(configuration.allowance(settings))
    cors = Cors(settings.cors_origins)
    who = entrance(configuration.client_addresses(settings), limits)
    app = web.Application(
        client_max_size=MAX_BODY_BYTES, middlewares=[cors.middleware, plain_refusals, who]
    )
    app.on_response_prepare.extend([_anonymous, cors.mark, _counting(responses)])
    routes: list[tuple[str, str, Answer]] = [
        *((hdrs.METH_GET, path, _status(core, view)) for path, view in _VIEWS.items()),
        (hdrs.METH_GET, "/health/ready", _ready(core)),
        (hdrs.METH_GET, "/metrics", _metrics(core, settings, responses, probing)),
        (hdrs.METH_GET, "/admin/nodes", _admin(core, settings)),
        (hdrs.METH_GET, "/api/network", _status(core, lambda _, now: network.status.at(now))),
        (hdrs.METH_GET, "/api/network/events", _network_events(network)),
        (hdrs.METH_GET, "/ws/node", _node_socket(core, cors, nodes)),
        (hdrs.METH_POST, "/api/chat", _post_chat(core, settings, limits, chats)),
    ]
    for method, path, answer in routes:
        app.router.add_route(method, path, answer, expect_handler=expectation)
    methods = {path: method for method, path, _ in routes}
    elsewhere = _nothing(methods)
    app.router.add_route("*", "/{path:.*}", elsewhere, name=_ELSEWHERE, expect_handler=expectation)
    return app


def _nothing(methods: Mapping[str, str]) -> Answer:
    """Answer what no other route does; the framework's own would not ask `expectation`."""

    async def nothing(request: web.Request) -> web.StreamResponse:
        method = methods.get(request.path)
        if method is None:
            raise web.HTTPNotFound
        raise web.HTTPMethodNotAllowed(request.method, [method])

    return nothing


def _post_chat(
    core: RouterCore, settings: Settings, limits: AddressLimits, chats: OpenConnections
) -> Answer:
    rules = configuration.chat_rules(settings)
    turns = FrameTurns()

    async def post_chat(request: web.Request) -> web.StreamResponse:
        with chats.one_more(), limits.running_chat(request[CLIENT].key):
            return await chat(request, core, rules, turns)

    return post_chat


def _node_socket(core: RouterCore, cors: Cors, nodes: OpenConnections) -> Answer:
    turns = FrameTurns()

    async def node_socket(request: web.Request) -> web.StreamResponse:
        if hdrs.SEC_WEBSOCKET_PROTOCOL in request.headers:
            return refuse(400, "This endpoint speaks no subprotocol.")
        if not web.WebSocketResponse().can_prepare(request):
            return refuse(404, "Not Found")
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not cors.allows(origin):
            # Any page that its visitor opens could otherwise join the router on their machine.
            return refuse(403, "Web pages cannot be nodes of this router.")
        with nodes.one_more():
            return await serve_node(request, core, turns)

    return node_socket


def _status(core: RouterCore, view: View) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return _json(view(core, asyncio.get_running_loop().time()))

    return answer


def _network_events(network: NetworkEvents) -> Answer:
    async def events(request: web.Request) -> web.StreamResponse:
        return await network.serve(request, request[CLIENT].key)

    return events


def _ready(core: RouterCore) -> Answer:
    async def ready(request: web.Request) -> web.Response:
        body = status_view.readiness(core)
        return _json(body, status=200 if body.status == "ready" else 503)

    return ready


def _metrics(
    core: RouterCore, settings: Settings, responses: ResponseCounts, probing: Probing
) -> Answer:
    token = settings.admin_token.get_secret_value()

    async def metrics(request: web.Request) -> web.Response:
        now = asyncio.get_running_loop().time()
        if wants_text(request.headers.get(hdrs.ACCEPT, "")):
            probes = probing.outcomes if is_operator(request, token) else None
            text = prometheus_text(core, responses, now, probes)
            return web.Response(body=text, headers={hdrs.CONTENT_TYPE: PROMETHEUS_TYPE})
        return _json(status_view.metrics(core, now))

    return metrics


def _admin(core: RouterCore, settings: Settings) -> Answer:
    async def admin(request: web.Request) -> web.Response:
        return await admin_nodes(request, core, settings.admin_token.get_secret_value())

    return admin


def _json(body: BaseModel, *, status: int = 200) -> web.Response:
    return web.Response(text=body.model_dump_json(), content_type="application/json", status=status)


async def _anonymous(request: web.Request, response: web.StreamResponse) -> None:
    """Do not tell strangers which versions run here."""
    response.headers["Server"] = "idleclaw"


def _counting(
    responses: Counter[tuple[str, int]],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def count(request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        path = OTHER
        if resource is not None and resource.name != _ELSEWHERE:
            path = resource.canonical
        responses[path, response.status] += 1

    return count
