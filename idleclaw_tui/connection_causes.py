"""Why a router could not be reached, told from the errors of httpx."""

import socket
import ssl

import httpx

from idleclaw_tui.errors import UnreachableCause


def cause_of(error: Exception) -> UnreachableCause:
    """Return the kind of failure that an error of httpx, or a `TimeoutError`, stands for."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "timeout"
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if not isinstance(error, httpx.ConnectError):
        return "broken"
    reasons: list[BaseException] = []
    reason: BaseException | None = error
    while reason is not None and reason not in reasons:
        reasons.append(reason)
        reason = reason.__cause__ or reason.__context__
    if any(isinstance(found, socket.gaierror) for found in reasons):
        return "name"
    if any(isinstance(found, ssl.SSLError) for found in reasons):
        return "tls"
    return "refused"
