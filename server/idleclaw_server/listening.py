"""The router's listening socket, and the gate that every connection comes through."""

import asyncio
import socket
from typing import Any, Final

from aiohttp import web

from idleclaw_protocol.chat import Refusal
from idleclaw_server.client_address import UNKNOWN_CLIENT, ClientAddresses, client_of, read_address
from idleclaw_server.connection_gate import ConnectionGate

_BACKLOG: Final = 1024
_RETRY_SECONDS: Final = 5


class GatedServer(web.Server):
    """aiohttp's server for an application, without the connections there is no room for.

    These get a 429 before they said anything, and are closed. `options` are those of aiohttp's
    `RequestHandler`.
    """

    def __init__(
        self,
        application: web.Server,
        gate: ConnectionGate,
        addresses: ClientAddresses,
        **options: Any,
    ) -> None:
        super().__init__(
            application.request_handler,
            request_factory=application.request_factory,
            handler_cancellation=True,
            **options,
        )
        self._gate = gate
        self._addresses = addresses
        self._keys: dict[web.RequestHandler, str] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Let the connection in, or turn it away."""
        super().connection_made(handler, transport)
        peer = transport.get_extra_info("peername")
        address = read_address(str(peer[0])) if isinstance(peer, tuple) else None
        client = UNKNOWN_CLIENT if address is None else client_of(address)
        proxied = address is not None and self._addresses.is_trusted(address)
        if self._gate.enter(client.key, counted=not proxied):
            self._keys[handler] = client.key
        else:
            transport.write(_REFUSAL)
            transport.close()

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Make room for another one."""
        super().connection_lost(handler, exc)
        key = self._keys.pop(handler, None)
        if key is not None:
            self._gate.leave(key)


async def listen(
    server: GatedServer, host: str, port: int, unacknowledged_seconds: float
) -> asyncio.Server:
    """Listen on an address.

    Connections whose peer does not take what was sent for `unacknowledged_seconds` are ended by
    the kernel where it can (Linux, tcp(7)): what a handler has written and left no longer has
    anybody else to watch it.

    Raises:
        OSError: the address cannot be used.
    """
    listening = await asyncio.get_running_loop().create_server(server, host, port, backlog=_BACKLOG)
    for listener in listening.sockets:
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = int(unacknowledged_seconds * 1000)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listening


def _refusal() -> bytes:
    body = Refusal(detail="Too many connections").model_dump_json(exclude_none=True)
    return (
        "HTTP/1.1 429 Too Many Requests\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Retry-After: {_RETRY_SECONDS}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
        f"{body}"
    ).encode()


_REFUSAL: Final = _refusal()
