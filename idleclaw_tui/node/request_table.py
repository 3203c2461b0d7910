"""The requests that run on one connection to the router, by id."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from idleclaw_protocol.frames import DeclineReason

CancelCause = Literal["router", "link_lost", "owner"] | DeclineReason
"""Who ended a request early; a reason to decline hands it back to the router."""

SecondsLeft = Callable[[float], float | None]
"""How long a request will take from `now` on (monotonic seconds), None where that is open."""


class RunningRequest:
    """One request and the task that serves it.

    `interruptible` is set by that task while it waits for Ollama or for the socket; cancelled
    outside of that, the request only learns of it.
    """

    __slots__ = ("cancelled", "interruptible", "released", "request_id", "seconds_left", "task")

    def __init__(self, request_id: str, seconds_left: SecondsLeft) -> None:
        self.request_id = request_id
        self.seconds_left = seconds_left
        self.cancelled: CancelCause | None = None
        self.interruptible = False
        self.released = False
        self.task: asyncio.Task[None] | None = None

    @property
    def is_active(self) -> bool:
        """Whether it takes one of the node's places."""
        return not self.released and self.cancelled is None

    def release(self) -> None:
        """Give its place free: nothing more is wanted of Ollama, and it cannot be cancelled."""
        self.released = True

    def cancel(self, cause: CancelCause) -> None:
        """Stop it at once, unless it is over or being stopped."""
        if not self.is_active:
            return
        self.cancelled = cause
        if self.interruptible and self.task is not None:
            self.task.cancel()


class RequestTable:
    """At most `limit` active requests, and some more that are on their way out."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running: dict[str, RunningRequest] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._running

    @property
    def active(self) -> int:
        """How many requests take a place."""
        return sum(running.is_active for running in self._running.values())

    @property
    def is_full(self) -> bool:
        """Whether there is no place for another request."""
        return self.active >= self.limit or len(self._running) >= 2 * self.limit + 2

    def start(
        self,
        request_id: str,
        serve: Callable[[RunningRequest], Awaitable[None]],
        seconds_left: SecondsLeft = lambda _: None,
    ) -> RunningRequest:
        """Serve a request in a task of its own; it leaves the table when that ends."""
        running = RunningRequest(request_id, seconds_left)
        self._running[request_id] = running
        self._empty.clear()
        running.task = asyncio.ensure_future(self._run(running, serve))
        return running

    def cancel(self, request_id: str) -> None:
        """Stop a request for the router; unknown ids are ignored, as it cancels ended ones too."""
        running = self._running.get(request_id)
        if running is not None:
            running.cancel("router")

    def cancel_all(self, cause: CancelCause) -> None:
        """Stop every request."""
        for running in list(self._running.values()):
            running.cancel(cause)

    def hand_off(self, reason: DeclineReason, longest: float, now: float) -> None:
        """Give back every request that will not end within `longest` seconds, all where it is 0."""
        for running in list(self._running.values()):
            left = running.seconds_left(now)
            if not longest or left is None or left > longest:
                running.cancel(reason)

    async def wait_empty(self) -> None:
        """Wait until no request is left."""
        while self._running:
            await self._empty.wait()

    async def _run(
        self, running: RunningRequest, serve: Callable[[RunningRequest], Awaitable[None]]
    ) -> None:
        try:
            await serve(running)
        finally:
            del self._running[running.request_id]
            if not self._running:
                self._empty.set()
