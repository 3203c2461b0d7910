"""Plain integers that the hot path can afford."""


class Counters:
    """What happened since the router started.

    `requests` counts ended requests, `errors` those that ended in an error of the network's own;
    `strays` are frames for requests that did not run at their sender, `malformed` frames or chunks
    of a wrong shape, `consumers_cut` consumers that did not read.
    """

    __slots__ = (
        "cancelled",
        "chunks",
        "consumers_cut",
        "declined",
        "errors",
        "malformed",
        "requests",
        "retries",
        "strays",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.cancelled = 0
        self.declined = 0
        self.retries = 0
        self.chunks = 0
        self.strays = 0
        self.malformed = 0
        self.consumers_cut = 0
