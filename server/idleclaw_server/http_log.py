"""The log of the HTTP server, without a word of what strangers send."""

import logging
from typing import Final

from aiohttp.http import HttpProcessingError


class _NotTheirWords(logging.Filter):
    """Drops what is said of bytes that are no HTTP: the exception quotes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


HTTP_LOG: Final = logging.getLogger("idleclaw_server.http")
HTTP_LOG.addFilter(_NotTheirWords())
