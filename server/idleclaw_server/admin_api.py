"""`GET /admin/nodes`: what the operator alone may see of the connected nodes."""

import asyncio
import hmac

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict

from idleclaw_protocol.limits import MAX_NODE_ID_CHARS
from idleclaw_protocol.text_safety import clean_line
from idleclaw_server.core import RouterCore
from idleclaw_server.node import Node
from idleclaw_server.refusals import refuse


class AdminNode(BaseModel):
    """One node; `ip` is masked, `active_requests` counts the slots in use.

    `reliability` and `honesty` run from 0 to 1, see `Standing`; an `out` node gets no requests.
    """

    model_config = ConfigDict(frozen=True)

    node_id: str
    alias: str
    ip: str
    models: tuple[str, ...]
    connected_seconds: int
    active_requests: int
    ollama_version: str | None
    reliability: float
    honesty: float
    checks: int
    out: bool


class AdminNodes(BaseModel):
    """All nodes in the order they came."""

    model_config = ConfigDict(frozen=True)

    nodes: tuple[AdminNode, ...]


def is_operator(request: web.Request, token: str) -> bool:
    """Whether who asks knows the token, compared in constant time; nobody does where none is set.

    RFC 6750 section 2.1.
    """
    offered = request.headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "replace")
    return bool(token) and hmac.compare_digest(offered, f"Bearer {token}".encode())


async def admin_nodes(request: web.Request, core: RouterCore, token: str) -> web.Response:
    """Answer the operator; 404 where no token is set, 401 to whoever does not know it."""
    if not token:
        return refuse(404, "Not Found")
    if not is_operator(request, token):
        return refuse(401, "Unauthorized")
    now = asyncio.get_running_loop().time()
    nodes = sorted(core.registry, key=lambda node: node.connected_at)
    listed = AdminNodes(nodes=tuple(_node(node, now) for node in nodes))
    return web.Response(text=listed.model_dump_json(), content_type="application/json")


def _node(node: Node, now: float) -> AdminNode:
    return AdminNode(
        node_id=clean_line(node.node_id, MAX_NODE_ID_CHARS),
        alias=node.alias,
        ip=node.client.masked,
        models=tuple(node.models),
        connected_seconds=int(now - node.connected_at),
        active_requests=node.busy_slots,
        ollama_version=node.ollama_version,
        reliability=round(node.standing.reliability, 3),
        honesty=round(node.standing.honesty, 3),
        checks=node.standing.checks,
        out=node.standing.is_out,
    )
