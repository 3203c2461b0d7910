"""Everything the router refuses, each with the words and the HTTP status a peer gets.

RouterError
├── RequestRefused      a chat that does not start (HTTP)
│   ├── NoSuchModel     503, nobody has the model
│   ├── QueueFull       503 with Retry-After
│   ├── ShuttingDown    503 with Retry-After
│   ├── TooManyRequests 429 with Retry-After
│   ├── RequestTooLarge 413
│   └── NotAllowed      400, an operator's pattern was found in it
├── NodeRefused         a registration that is turned away (WebSocket close)
├── ToolFailed          a tool that has no result
└── ChunkError          a chunk whose shape is wrong
"""

from typing import ClassVar


class RouterError(Exception):
    """The root of all errors of this package."""


class RequestRefused(RouterError):
    """A chat that does not start.

    Attributes:
        status: the HTTP status.
        retry_after: seconds after which a new try makes sense, or None.
        models: names that could serve instead.
    """

    status: ClassVar[int] = 503

    def __init__(
        self, detail: str, *, retry_after: int | None = None, models: tuple[str, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.models = models


class NoSuchModel(RequestRefused):
    """No connected node has the model."""


class QueueFull(RequestRefused):
    """Every slot is busy and the queue has no room."""


class ShuttingDown(RequestRefused):
    """The router lets running answers end and takes no new ones."""


class TooManyRequests(RequestRefused):
    """An address asks too often, or for too much at a time."""

    status = 429


class RequestTooLarge(RequestRefused):
    """The request does not fit into one frame of the node's WebSocket."""

    status = 413


class NotAllowed(RequestRefused):
    """The operator does not allow what was asked."""

    status = 400


class NodeRefused(RouterError):
    """A registration that is turned away.

    Attributes:
        code: the WebSocket close code.
        reason: the close reason.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ChunkError(RouterError):
    """A node's chunk has the wrong shape; the text never repeats what it held."""


class ToolFailed(RouterError):
    """A tool that has no result; the text is meant for the model and repeats nothing it sent."""
