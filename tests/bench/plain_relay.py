"""A TCP relay that parses nothing: the least that any relay on this event loop must do.

The first line of a connection says which side it is and of which stream: `node 7` or
`consumer 7`. After that every byte from the node's side goes to the consumer's.
"""

import asyncio
import sys
from typing import ClassVar, cast

import uvloop


class Side(asyncio.Protocol):
    """One end of a stream."""

    consumers: ClassVar[dict[bytes, asyncio.WriteTransport]] = {}

    def __init__(self) -> None:
        self._peer: asyncio.WriteTransport | None = None
        self._known = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        if self._peer is not None:
            self._peer.write(data)
        elif not self._known:
            self._known = True
            kind, name = data.split()
            if kind == b"consumer":
                self.consumers[name] = self._transport
                self._transport.write(b"ok\n")
            else:
                self._peer = self.consumers[name]
                self._transport.write(b"ok\n")


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Side, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
