"""Connections that cost without asking anything."""

import json
import socket
from contextlib import AsyncExitStack, suppress

import anyio
import anyio.lowlevel
import httpx
import psutil
import pytest

from idleclaw_server.connection_gate import ConnectionGate
from idleclaw_server.policy import Policy
from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings
from tests.defences.running import at, defended, node_at, patience
from tests.router.program import program
from tests.router.raw_http import chat_request, tcp
from tests.router.running import BOTH_LOOPS
from tests.waiting import wait_until


def test_the_gate_counts_by_address_and_in_all() -> None:
    gate = ConnectionGate(per_address=2, total=4)
    assert [gate.enter(key) for key in "aaabbc"] == [True, True, False, True, True, False]
    gate.leave("a")
    assert gate.enter("c")
    assert not gate.enter("c", counted=False), "the total holds for everybody"
    gate.leave("b")
    assert gate.enter("a", counted=False)
    assert len(gate) == 4


def test_a_gate_that_everybody_left_is_empty() -> None:
    gate = ConnectionGate(per_address=0, total=0)
    assert all(gate.enter("a") for _ in range(100))
    for _ in range(100):
        gate.leave("a")
    assert len(gate) == 0


@BOTH_LOOPS
async def test_one_connection_too_many_is_told_so_and_closed() -> None:
    """A14: one address cannot take all the sockets there are."""
    async with defended(connections_per_address=3) as router, AsyncExitStack() as streams:
        for _ in range(3):
            await streams.enter_async_context(tcp(router.url))
        await wait_until(lambda: router.connections_open == 3, "three open connections")
        async with tcp(router.url) as fourth:
            answer = await fourth.until_closed()
        head, _, text = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 5" in head
        assert json.loads(text) == {"detail": "Too many connections"}
        async with at(router.url, "127.0.0.2") as http:
            assert (await http.get("/health")).status_code == 200
        await streams.aclose()
        await wait_until(lambda: router.connections_open == 0, "everything to be closed")
        async with at(router.url) as http:
            assert (await http.get("/health")).status_code == 200


async def test_there_is_a_total_for_all_addresses() -> None:
    """A14: many addresses together cannot do it either."""
    async with defended(max_connections=2) as router, AsyncExitStack() as streams:
        for _ in range(2):
            await streams.enter_async_context(tcp(router.url))
        await wait_until(lambda: router.connections_open == 2, "two open connections")
        async with tcp(router.url) as third:
            assert (await third.until_closed()).startswith(b"HTTP/1.1 429 ")


async def test_everybody_behind_a_trusted_proxy_is_not_one_address() -> None:
    """A14: the cap by address would otherwise be one for the whole world."""
    async with defended(connections_per_address=1, trusted_proxies="127.0.0.1") as router:
        async with at(router.url) as http, tcp(router.url), tcp(router.url):
            assert (await http.get("/health")).status_code == 200


async def test_a_thousand_refused_connections_leave_nothing_behind() -> None:
    """A17: those who are turned away are not remembered."""
    async with defended(connections_per_address=1) as router, tcp(router.url):
        await wait_until(lambda: router.connections_open == 1, "the first to be open")
        for _ in range(200):
            async with tcp(router.url) as stream:
                await stream.until_closed()
        await wait_until(lambda: router.connections_open == 1, "the others to be gone")


@BOTH_LOOPS
async def test_headers_that_trickle_in_are_cut_at_their_deadline() -> None:
    """A14: a byte now and then does not keep a connection open."""
    async with defended(Policy(keepalive_seconds=0.5)) as router, tcp(router.url) as stream:
        async with anyio.create_task_group() as tasks:

            async def trickle() -> None:
                with suppress(ConnectionError):
                    await stream.send(b"GET /health HTTP/1.1\r\n")
                    while True:
                        await stream.send(b"x")
                        await anyio.sleep(0.05)

            tasks.start_soon(trickle)
            await stream.until_closed()
            tasks.cancel_scope.cancel()
        await wait_until(lambda: router.connections_open == 0, "its place to be free")


async def test_a_silent_socket_is_closed() -> None:
    """A14: connecting and saying nothing is no way to stay."""
    async with defended(Policy(keepalive_seconds=0.2)) as router, tcp(router.url) as stream:
        assert await stream.until_closed() == b""
        await wait_until(lambda: router.connections_open == 0, "its place to be free")


async def test_slow_bodies_count_as_running_chats_and_end() -> None:
    """A14: bodies that never end hold at most three places of an address, and not for long."""
    async with defended(Policy(body_seconds=0.5)) as router, AsyncExitStack() as streams:
        slow = [await streams.enter_async_context(tcp(router.url)) for _ in range(4)]
        for stream in slow:
            await stream.send(chat_request()[:-5])
        async with patience():
            first = [(await stream.receive()).split(b" ")[1] for stream in slow]
        assert sorted(first) == [b"408", b"408", b"408", b"429"]
        assert router.chats_open == 0


async def test_a_node_that_never_registers_is_closed() -> None:
    """A14: a handshake alone does not hold a WebSocket open."""
    async with defended(Policy(register_seconds=0.2)) as router, node_at(router.url) as node:
        assert await node.close_frame() == (1008, "registration timeout")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_health_answers_while_sixty_connections_do_nothing(version: str) -> None:
    """A14: idle connections cost no time."""
    async with defended() as router, AsyncExitStack() as streams:
        for _ in range(60):
            stream = await streams.enter_async_context(tcp(router.url))
            await stream.send(f"POST /api/chat HTTP/{version}\r\nhost: x\r\n".encode())
        async with at(router.url, "127.0.0.2") as http:
            assert (await http.get("/health")).status_code == 200


@BOTH_LOOPS
async def test_a_flood_of_connections_is_taken_in_a_few_turns() -> None:
    """A14: nobody waits for as many turns of the event loop as there are strangers before them."""
    async with defended() as router, AsyncExitStack() as stack:
        for _ in range(60):
            raw = stack.enter_context(socket.socket())
            raw.setblocking(False)
            with suppress(BlockingIOError):
                raw.connect(("127.0.0.1", int(router.url.rpartition(":")[2])))
        turns = 0
        while router.connections_open < 60:
            turns += 1
            await anyio.lowlevel.checkpoint()
            assert turns < 1000
    assert turns < 30


async def test_without_files_the_router_waits_and_goes_on() -> None:
    """A14: where the system has no room the router does not spin, and does not end."""
    async with program() as server, AsyncExitStack() as streams:
        process = psutil.Process(server.process.pid)
        async with at(server.url) as http:
            assert (await http.get("/health")).status_code == 200
        files = process.num_fds()
        _, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (files + 2, hard))
        for _ in range(6):
            await streams.enter_async_context(tcp(server.url))
        await wait_until(lambda: "cannot take connections" in server.log, "the log to say so")
        await streams.aclose()
        async with at(server.url) as http:
            assert (await http.get("/health")).status_code == 200
        assert server.log.count("cannot take connections") < 5


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_every_address_of_a_host_is_listened_on(host: str) -> None:
    """A16: whoever comes over IPv6 is limited as well."""
    try:
        async with running_router(Settings(host=host, port=0, others_per_minute=2)) as router:
            async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
                codes = [(await http.get("/health")).status_code for _ in range(3)]
    except OSError as error:
        pytest.skip(f"no {host} on this machine: {error.strerror}")
    assert codes == [200, 200, 429]


async def test_an_address_that_cannot_be_used_is_an_error_before_anything_runs() -> None:
    async with defended() as router:
        port = int(router.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with running_router(Settings(port=port)):
                pytest.fail("listens on a port that is taken")
