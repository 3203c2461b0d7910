"""How much one address may ask for: requests a minute of each kind, and chats at a time."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from idleclaw_server.errors import TooManyRequests
from idleclaw_server.token_buckets import TokenBuckets

_CHAT_PATH: Final = "/api/chat"
_NODE_PATH: Final = "/ws/node"
_BUSY_RETRY_SECONDS: Final = 5
_EVERYBODY: Final = ""
_ALL_REGISTRATIONS_BURST: Final = 200


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an address gets; 0 means no limit.

    `all_registrations_per_minute` holds over all addresses together: a network that comes back
    after a restart must not take the time of the answers that run.
    """

    chats_per_minute: int = 20
    registrations_per_minute: int = 5
    others_per_minute: int = 60
    running_chats: int = 3
    all_registrations_per_minute: int = 6_000


UNLIMITED: Final = Allowance(0, 0, 0, 0, 0)


class AddressLimits:
    """Counts what each client does. Keys are those of `Client.key`, times seconds.

    The chats that run are counted exactly (their number is bounded elsewhere); who asked how often
    is remembered for the addresses seen last (see `TokenBuckets`).
    """

    def __init__(self, allowance: Allowance) -> None:
        self._chats = TokenBuckets(allowance.chats_per_minute)
        self._registrations = TokenBuckets(allowance.registrations_per_minute)
        self._others = TokenBuckets(allowance.others_per_minute)
        self._all_registrations = TokenBuckets(
            allowance.all_registrations_per_minute, _ALL_REGISTRATIONS_BURST
        )
        self._max_running = allowance.running_chats
        self._running: dict[str, int] = {}

    @property
    def chatting(self) -> int:
        """How many addresses have a chat that runs."""
        return len(self._running)

    def admit(self, path: str, key: str, now: float) -> None:
        """Count one request for `path`, whatever its method and whatever becomes of it.

        Raises:
            TooManyRequests: the address has to wait; asking too early does not lengthen that.
        """
        if path == _NODE_PATH:
            wait = self._all_registrations.seconds_until_free(_EVERYBODY, now)
            wait = wait or self._registrations.take(key, now)
            wait = wait or self._all_registrations.take(_EVERYBODY, now)
        elif path == _CHAT_PATH or path.startswith(_CHAT_PATH + "/"):
            wait = self._chats.take(key, now)
        else:
            wait = self._others.take(key, now)
        if wait:
            raise TooManyRequests("Too many requests", retry_after=math.ceil(wait))

    @contextmanager
    def running_chat(self, key: str) -> Iterator[None]:
        """Count a chat for as long as the context lasts.

        Raises:
            TooManyRequests: the address has all the chats it may have at a time.
        """
        running = self._running.get(key, 0)
        if self._max_running and running >= self._max_running:
            raise TooManyRequests("Too many concurrent requests", retry_after=_BUSY_RETRY_SECONDS)
        self._running[key] = running + 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
