"""The router's listening sockets, and the gate that every connection comes through."""

import asyncio
import errno
import logging
import socket
from typing import Any, Final

from aiohttp import web

from idleclaw_protocol.refusal import Refusal
from idleclaw_server.client_address import UNKNOWN_CLIENT, ClientAddresses, client_of, read_address
from idleclaw_server.connection_gate import ConnectionGate

_BACKLOG: Final = 1024
_ACCEPTS_A_TURN: Final = 64
_RETRY_SECONDS: Final = 5
_PAUSE_SECONDS: Final = 1.0
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_log = logging.getLogger(__name__)


class GatedServer(web.Server):
    """aiohttp's server for an application, which gives back the place of a lost connection.

    `options` are those of aiohttp's `RequestHandler`.
    """

    def __init__(self, application: web.Server, gate: ConnectionGate, **options: Any) -> None:
        super().__init__(
            application.request_handler,
            request_factory=application.request_factory,
            handler_cancellation=True,
            **options,
        )
        self.gate: Final = gate
        self._keys: dict[web.RequestHandler, str] = {}

    def protocol(self, key: str) -> web.RequestHandler:
        """Return the protocol of a connection that the gate has let in."""
        handler = self()
        self._keys[handler] = key
        return handler

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Make room for another one."""
        super().connection_lost(handler, exc)
        self.forget(handler)

    def forget(self, handler: web.RequestHandler) -> None:
        """Give its place back; doing so twice does nothing."""
        key = self._keys.pop(handler, None)
        if key is not None:
            self.gate.leave(key)


class Listener:
    """Takes connections from listening sockets, up to 64 of each in one turn of the event loop.

    An event loop's own server may take one a turn (uvloop's does): in a flood of connections
    everybody else would then wait for as many turns as there are connections before theirs. Whom
    the gate has no room for gets a 429 before saying anything, and is closed.
    """

    def __init__(
        self, server: GatedServer, addresses: ClientAddresses, sockets: list[socket.socket]
    ) -> None:
        self._server = server
        self._addresses = addresses
        self._sockets = sockets
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        host, port = sockets[0].getsockname()[:2]
        self.url: Final = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        for listening in sockets:
            self._listen(listening)

    def close(self) -> None:
        """Stop listening; connections that are open stay so."""
        for listening in self._sockets:
            self._loop.remove_reader(listening)
            listening.close()
        self._sockets.clear()

    def _listen(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                connection, peer = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    # Something is wrong with that one connection (accept(2), "Error handling").
                    continue
                self._pause(listening, error.strerror or "no more room")
                return
            self._take(connection, peer)

    def _pause(self, listening: socket.socket, reason: str) -> None:
        """Look away for a second: the socket stays readable, and looking again costs all time."""
        _log.error("cannot take connections for a second: %s", reason)
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE_SECONDS, self._listen, listening)

    def _take(self, connection: socket.socket, peer: tuple[Any, ...]) -> None:
        connection.setblocking(False)
        address = read_address(str(peer[0])) if peer else None
        key = (UNKNOWN_CLIENT if address is None else client_of(address)).key
        proxied = address is not None and self._addresses.is_trusted(address)
        if not self._server.gate.enter(key, counted=not proxied):
            _turn_away(connection)
            return
        task = self._loop.create_task(self._serve(connection, self._server.protocol(key)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket, protocol: web.RequestHandler) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, connection)
        except OSError:
            # The peer left before it was served.
            self._server.forget(protocol)
            connection.close()


async def listen(
    server: GatedServer,
    addresses: ClientAddresses,
    host: str,
    port: int,
    unacknowledged_seconds: float,
) -> Listener:
    """Listen on all addresses of `host`.

    Connections whose peer does not take what was sent for `unacknowledged_seconds` are ended by
    the kernel where it can (Linux, tcp(7)): what a handler has written and left no longer has
    anybody else to watch it.

    Raises:
        OSError: the address cannot be used.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((info[0], info[4]) for info in found):
            sockets.append(_listening_socket(family, address, unacknowledged_seconds))
    except OSError:
        for listening in sockets:
            listening.close()
        raise
    return Listener(server, addresses, sockets)


def _listening_socket(
    family: int, address: tuple[Any, ...], unacknowledged_seconds: float
) -> socket.socket:
    listening = socket.create_server(address, family=family, backlog=_BACKLOG)
    listening.setblocking(False)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = int(unacknowledged_seconds * 1000)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    return listening


def _turn_away(connection: socket.socket) -> None:
    with connection:
        try:
            connection.send(_REFUSAL)
        except OSError:
            pass


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
