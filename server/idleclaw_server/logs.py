"""The form of log lines. No line holds what people write, whatever went wrong with it.

The text of an exception often quotes what could not be handled, so only its type and the places in
the code are logged.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from idleclaw_protocol.text_safety import clean

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_PLAIN: Final = "%(asctime)s %(levelname)s %(message)s"


class PlainFormatter(logging.Formatter):
    """Lines for people: time, level and message, then the places in the code if something failed.

    Control characters are taken out, so that no line can be forged or steer a terminal.
    """

    def __init__(self) -> None:
        super().__init__(_PLAIN)

    def format(self, record: logging.LogRecord) -> str:
        """Return the text for `record`."""
        return clean(super().format(record))

    def formatException(self, ei: ExcInfo) -> str:
        """Return the types of an exception and its causes, and where each was raised."""
        return "\n".join(_places(ei[1]))


class JsonFormatter(PlainFormatter):
    """One JSON object a line, ASCII only: time (UTC), level, logger, message, and exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object for `record`."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logging(level: str, form: str) -> None:
    """Log on standard error at `level`, in the form "plain" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _places(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
        for frame in traceback.extract_tb(error.__traceback__):
            lines.append(f"  {frame.filename}:{frame.lineno} {frame.name}")
        error = error.__cause__ or error.__context__
    return lines
