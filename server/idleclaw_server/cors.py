"""Which web pages may read the router's answers (Fetch Standard, "CORS protocol")."""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

_ALLOWED: Final = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
_MAX_AGE_SECONDS: Final = 600
_ANY: Final = "*"


class Cors:
    """The allowed origins; none by default, and then nothing here does anything."""

    def __init__(self, origins: tuple[str, ...] = ()) -> None:
        self._origins = frozenset(origins)

    def allows(self, origin: str) -> bool:
        """Whether pages of `origin` may use this router."""
        return _ANY in self._origins or origin in self._origins

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return what an answer to a page of `origin` says, {} where the page is not allowed."""
        if origin is None or not self.allows(origin):
            return {}
        return {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin, hdrs.VARY: hdrs.ORIGIN}

    def preflight(self, request: web.Request) -> web.Response | None:
        """Answer a browser's question before the real request; None for any other request."""
        asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
        origin = request.headers.get(hdrs.ORIGIN)
        if request.method != hdrs.METH_OPTIONS or not self._origins or None in (asked, origin):
            return None
        if origin is None or not self.allows(origin):
            return web.Response(status=400, text="Disallowed CORS origin")
        answer = web.Response(text="OK")
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _ALLOWED
        answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_MAX_AGE_SECONDS)
        names = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
        if names is not None:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = names
        return answer

    @property
    def middleware(self) -> Middleware:
        """Answers preflights before anything else looks at them."""

        @web.middleware
        async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
            return self.preflight(request) or await handler(request)

        return answer_preflight

    async def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Say on each answer that an allowed page may read it (`Application.on_response_prepare`).

        Streams and refusals are marked like any other answer.
        """
        response.headers.update(self.headers(request.headers.get(hdrs.ORIGIN)))
