"""The header `Expect` (RFC 9110, section 10.1.1)."""

from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from idleclaw_server.refusals import refuse

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


async def expectation(request: web.Request) -> web.StreamResponse | None:
    """Ask for the body where that is expected, and refuse every other expectation with 417.

    The framework's own handler repeats the header in its answer, and fails where it is not UTF-8.
    """
    if request.version < HttpVersion11:
        return None
    if request.headers[hdrs.EXPECT].lower() != "100-continue":
        return refuse(417, "Expectation Failed")
    await request.writer.write(_CONTINUE)
    # These bytes are none of the response's own.
    request.writer.output_size = 0
    return None
