"""What every request passes first: whose is it, and may it come in now."""

import asyncio
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from idleclaw_server.address_limits import AddressLimits
from idleclaw_server.client_address import Client, ClientAddresses, client_of

CLIENT: Final = web.RequestKey("client", Client)
"""Who made a request, on the request itself."""


def entrance(addresses: ClientAddresses, limits: AddressLimits) -> Middleware:
    """Return the middleware that names the client and counts its request.

    Raises (in the middleware):
        TooManyRequests: the address has used up its tokens for this kind of request.
    """

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, ())
        client = client_of(addresses.address(request.remote, forwarded))
        request[CLIENT] = client
        limits.admit(request.path, client.key, asyncio.get_running_loop().time())
        return await handler(request)

    return enter
