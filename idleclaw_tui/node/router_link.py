"""Opening the node's WebSocket and registering on it."""

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidStatus,
    WebSocketException,
)

from idleclaw_protocol.frame_reading import FrameError, read_router_frame
from idleclaw_protocol.frames import Register, Registered
from idleclaw_protocol.limits import MAX_FRAME_BYTES
from idleclaw_tui.errors import NotARouter, RouterUnreachable, UnreachableCause
from idleclaw_tui.node.link_notices import LinkNotice, closed
from idleclaw_tui.node.options import NodeTiming

MAX_RETRY_AFTER_SECONDS: Final = 600.0

# At DEBUG, websockets logs the frames themselves: what people write must not get there.
_quiet_logger = logging.getLogger("idleclaw_tui.websocket")
_quiet_logger.setLevel(logging.INFO)


class LinkFailed(Exception):
    """There is no registered connection; `notice` says why."""

    def __init__(self, notice: LinkNotice) -> None:
        super().__init__(notice.text)
        self.notice = notice


@dataclass(frozen=True, slots=True)
class RouterLink:
    """A connection on which this node is registered, and the extensions the router knows.

    `alias` is the name under which the router shows the node to others, None for old routers.
    """

    websocket: ClientConnection
    features: frozenset[str]
    alias: str | None = None


class _Connect(connect):
    """Opens a connection to the one address it was given."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow no redirect: a router must not point its nodes at other people's networks."""
        return exc


def websocket_url(server: str) -> str:
    """Return the URL of /ws/node for the router's http or https base URL."""
    scheme, _, rest = server.rstrip("/").partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws/node"


async def open_link(server: str, register: Register, timing: NodeTiming) -> RouterLink:
    """Connect to the router at the base URL `server` and register there.

    No proxy of the environment is used, no frame over 1 MiB is taken, nothing is compressed.

    Raises:
        LinkFailed: nothing answers, what answers is no router, or it refuses the registration.
    """
    websocket = await _open(server, timing)
    try:
        async with asyncio.timeout(timing.register):
            await websocket.send(register.to_json())
            registered = await _registered(websocket)
    except ConnectionClosed as error:
        raise LinkFailed(closed_notice(error)) from None
    except (TimeoutError, FrameError):
        await close_link(websocket, timing)
        what = "it does not answer a node's registration"
        raise LinkFailed(LinkNotice("refused", str(NotARouter(server, what)))) from None
    except asyncio.CancelledError:
        await close_link(websocket, timing)
        raise
    return RouterLink(websocket, registered.features, registered.alias)


async def close_link(websocket: ClientConnection, timing: NodeTiming) -> None:
    """Close the connection with 1000; one that takes too long is dropped."""
    try:
        async with asyncio.timeout(timing.close):
            await websocket.close()
    except TimeoutError:
        websocket.transport.abort()


def closed_notice(error: ConnectionClosed) -> LinkNotice:
    """Return why the connection ended."""
    received = None if error.rcvd is None else (error.rcvd.code, error.rcvd.reason)
    return closed(received, None if error.sent is None else error.sent.code)


async def _registered(websocket: ClientConnection) -> Registered:
    """Return the router's answer; frames of other kinds before it are passed over."""
    while True:
        frame = read_router_frame(await websocket.recv(decode=False))
        if isinstance(frame, Registered):
            return frame


async def _open(server: str, timing: NodeTiming) -> ClientConnection:
    try:
        return await _Connect(
            websocket_url(server),
            compression=None,
            max_size=MAX_FRAME_BYTES,
            proxy=None,
            user_agent_header="idleclaw-tui",
            open_timeout=timing.open,
            close_timeout=timing.close,
            ping_interval=timing.ping,
            ping_timeout=timing.ping,
            logger=_quiet_logger,
        )
    except InvalidStatus as error:
        raise LinkFailed(_status_notice(server, error)) from None
    except InvalidMessage:
        text = str(RouterUnreachable(server, "broken"))
        raise LinkFailed(LinkNotice("waiting", text)) from None
    except WebSocketException:
        what = "it does not speak WebSocket"
        raise LinkFailed(LinkNotice("refused", str(NotARouter(server, what)))) from None
    except (OSError, UnicodeError) as error:
        text = str(RouterUnreachable(server, _cause(error)))
        raise LinkFailed(LinkNotice("waiting", text)) from None


def _cause(error: OSError | UnicodeError) -> UnreachableCause:
    match error:
        case socket.gaierror() | UnicodeError():
            return "name"
        case ssl.SSLError():
            return "tls"
        case TimeoutError():
            return "timeout"
        case ConnectionResetError() | BrokenPipeError():
            return "broken"
        case _:
            return "refused"


def _status_notice(server: str, error: InvalidStatus) -> LinkNotice:
    status = error.response.status_code
    retry_after = _seconds(error.response.headers.get("Retry-After"))
    if status == 429:
        text = "The router has had too many connections from your internet address."
        return LinkNotice("waiting", text, retry_after)
    if status >= 500:
        text = f"The router at {server} cannot take nodes at the moment (HTTP {status})."
        return LinkNotice("waiting", text, retry_after)
    what = "it points to another address" if 300 <= status < 400 else f"it answers HTTP {status}"
    return LinkNotice("refused", str(NotARouter(server, what)))


def _seconds(retry_after: str | None) -> float | None:
    """Return the header's seconds, at most 600; its form as a date is not read."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdecimal():
        return None
    return min(float(retry_after[:6]), MAX_RETRY_AFTER_SECONDS)
