"""A node of this machine for tests of the screen: it does nothing, and says what it was told."""

import asyncio
from collections.abc import Callable

from idleclaw_tui.node_events import LinkChanged, NodeEvent
from idleclaw_tui.sharing_settings import SharingSettings


class FakeNode:
    """A node that tells what the test wants told, and runs until it is stopped.

    `settings` are those it was given, one after the other; `calls` is what else it was told.
    """

    def __init__(self, settings: SharingSettings, on_event: Callable[[NodeEvent], None]) -> None:
        self.tell = on_event
        self.settings = [settings]
        self.calls: list[str] = []
        self.draining = False
        self.stopped = asyncio.Event()

    async def run(self) -> None:
        self.tell(LinkChanged("connecting"))
        self.tell(LinkChanged("connected"))
        await self.stopped.wait()

    def stop(self) -> None:
        self.draining = True
        self.tell(LinkChanged("draining"))

    def stop_now(self) -> None:
        self.stopped.set()

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def try_now(self) -> None:
        self.calls.append("try_now")

    def change(self, settings: SharingSettings) -> None:
        self.settings.append(settings)


class Made:
    """The nodes that the screen made, newest last."""

    def __init__(self) -> None:
        self.nodes: list[FakeNode] = []

    def __call__(
        self, settings: SharingSettings, on_event: Callable[[NodeEvent], None]
    ) -> FakeNode:
        self.nodes.append(FakeNode(settings, on_event))
        return self.nodes[-1]
