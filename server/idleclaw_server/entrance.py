"""What every request passes first: whose is it, and may it come in now."""

import asyncio
import logging
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from idleclaw_server.address_limits import AddressLimits
from idleclaw_server.client_address import Client, ClientAddresses, client_of

CLIENT: Final = web.RequestKey("client", Client)
"""Who made a request, on the request itself."""

_log = logging.getLogger(__name__)


def entrance(addresses: ClientAddresses, limits: AddressLimits) -> Middleware:
    """Return the middleware that names the client and counts its request.

    Raises (in the middleware):
        TooManyRequests: the address has used up its tokens for this kind of request.
    """
    hinted = False

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal hinted
        forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, ())
        address = addresses.address(request.remote, forwarded)
        if forwarded and not hinted and address.is_private and not addresses.is_trusted(address):
            hinted = True
            _log.info(
                "requests from a local address name others in X-Forwarded-For and are not believed:"
                " a reverse proxy of yours belongs into --trusted-proxies"
            )
        client = client_of(address)
        request[CLIENT] = client
        limits.admit(request.path, client.key, asyncio.get_running_loop().time())
        return await handler(request)

    return enter
