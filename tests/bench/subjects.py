"""The measured processes, and how streams through each of them are opened."""

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final, Protocol

import psutil

from tests.bench.load import EVENT, Consumer, Node, PlainNode, Stream

MODEL: Final = "tiny:1b"
_PAYLOAD_BYTES: Final = 170
_START_SECONDS: Final = 15.0


class Process:
    """A measured process and the port it listens on."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._process = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """Return its CPU time so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def queued_seconds(self) -> float:
        """Return for how long it was ready to run and had no core (Linux, /proc/PID/schedstat)."""
        schedule = Path(f"/proc/{self._process.pid}/schedstat").read_text(encoding="ascii")
        return int(schedule.split()[1]) / 1e9

    def memory_bytes(self) -> int:
        """Return its resident memory."""
        return int(self._process.memory_info().rss)


class Subject(Protocol):
    """Something that relays."""

    process: Process

    async def open(self, streams: int, nodes: int) -> list[Stream]:
        """Return that many streams, spread over that many nodes, ready to send."""

    async def close(self) -> None:
        """Close what `open` opened."""


@contextmanager
def started(command: list[str], port: int, *, pinned: bool = True) -> Iterator[Process]:
    """Run a process until the context ends, on the first core or, not `pinned`, on any.

    Raises:
        TimeoutError: it does not listen within 15 s.
    """
    cores = sorted(os.sched_getaffinity(0))
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    if pinned:
        os.sched_setaffinity(child.pid, {cores[0]})
    try:
        deadline = perf_counter() + _START_SECONDS
        while not _listens(port):
            if perf_counter() > deadline:
                raise TimeoutError(f"nothing listens on port {port}")
        yield Process(port, child.pid)
    finally:
        child.kill()
        child.wait()


def plain_relay_command(port: int) -> list[str]:
    """Return the command of the relay that parses nothing."""
    return [sys.executable, "-m", "tests.bench.plain_relay", str(port)]


def router_command(port: int) -> list[str]:
    """Return the command of this project's router."""
    flags = [
        "--port",
        str(port),
        "--log-level",
        "ERROR",
        "--address-limits",
        "off",
        "--probes",
        "off",
        "--answer-chars",
        "1000000000",
    ]
    return [sys.executable, "-m", "idleclaw_server", *flags]


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class PlainRelay:
    """Streams through the plain relay: one connection on each side of each."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._names = itertools.count()
        self._transports: list[asyncio.BaseTransport] = []

    async def open(self, streams: int, nodes: int) -> list[Stream]:
        """See `Subject.open`; the plain relay knows no nodes."""
        loop = asyncio.get_running_loop()
        payload = EVENT + b"x" * (_PAYLOAD_BYTES - len(EVENT))
        opened = []
        for _ in range(streams):
            stream, name = Stream(), str(next(self._names))
            consumer = partial(Consumer, stream, f"consumer {name}\n".encode())
            node = partial(PlainNode, stream, name, payload)
            sides: tuple[Callable[[], Consumer | PlainNode], ...] = (consumer, node)
            for side in sides:
                transport, protocol = await loop.create_connection(
                    side, "127.0.0.1", self.process.port
                )
                self._transports.append(transport)
                await protocol.ready
            opened.append(stream)
        return opened

    async def close(self) -> None:
        """See `Subject.close`."""
        while self._transports:
            self._transports.pop().close()


class Router:
    """Streams through a router: chats of consumers, answered by nodes."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._names = itertools.count()
        self._transports: list[asyncio.BaseTransport] = []
        self.nodes: list[Node] = []
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._streams: dict[str, Stream] = {}
        self.consumers: list[Consumer] = []
        self.request_ids: list[str] = []

    async def add_nodes(self, count: int, slots: int) -> None:
        """Register more nodes."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            make = partial(Node, f"node-{next(self._names)}", MODEL, slots, self._on_request)
            transport, node = await loop.create_connection(make, "127.0.0.1", self.process.port)
            self._transports.append(transport)
            self.nodes.append(node)
            await node.ready

    async def add_streams(self, count: int) -> list[Stream]:
        """Ask for more answers; each waits for its node to be asked."""
        loop = asyncio.get_running_loop()
        opened = []
        for _ in range(count):
            stream, mark = Stream(), f"mark-{next(self._names)}"
            self._streams[mark] = stream
            self._asked[mark] = loop.create_future()
            transport, consumer = await loop.create_connection(
                partial(Consumer, stream, post(mark)), "127.0.0.1", self.process.port
            )
            self._transports.append(transport)
            self.consumers.append(consumer)
            await self._asked[mark]
            opened.append(stream)
        return opened

    async def open(self, streams: int, nodes: int) -> list[Stream]:
        """See `Subject.open`."""
        await self.add_nodes(nodes, -(-streams // nodes))
        return await self.add_streams(streams)

    async def close(self) -> None:
        """See `Subject.close`."""
        for stream in self._streams.values():
            stream.running = False
        self._streams.clear()
        self.nodes.clear()
        self.consumers.clear()
        self.request_ids.clear()
        while self._transports:
            self._transports.pop().close()

    def beat(self) -> None:
        """Send every node's heartbeat."""
        for node in self.nodes:
            node.beat()

    def _on_request(self, node: Node, request_id: str, mark: str) -> None:
        asked = self._asked.get(mark)
        if asked is None or asked.done():
            # A request that moved on while the round was being closed.
            return
        self.request_ids.append(request_id)
        frame = node.chunk(request_id)
        self._streams[mark].send = lambda: node.transport.write(frame)
        asked.set_result(None)


def post(mark: str) -> bytes:
    """Return the bytes of a chat whose only message is `mark`."""
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": mark}]}).encode()
    head = (
        "POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
