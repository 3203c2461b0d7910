"""A19: the handlers are cancelled at every point where they can be; nothing of them is left."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest
from aiohttp import web
from websockets.exceptions import ConnectionClosed

from idleclaw_protocol.frames import CANCEL_ACK
from idleclaw_server import chat_api, node_socket, routes
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.policy import Policy
from idleclaw_server.service import Router
from tests.router.interruption import Interruption
from tests.router.raw_http import chat_request, tcp
from tests.router.recording_sink import RecordingSink
from tests.router.running import BOTH_LOOPS, residue, routing
from tests.router.scripted_node import MODEL, ScriptedNode, connected, registered
from tests.waiting import wait_until

pytestmark = BOTH_LOOPS

Handler = Callable[..., Coroutine[Any, Any, web.StreamResponse]]
_HOLD = InferenceRequest(MODEL, ({"role": "user", "content": "hold"},), client="holder")
_FEW = 1
_MANY = 400


class Interrupter:
    """Stands before a handler and interrupts the calls that a test wants interrupted."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.next: Interruption | None = None

    async def __call__(self, *arguments: object) -> web.StreamResponse:
        interruption, self.next = self.next, None
        coroutine = self._handler(*arguments)
        return await (coroutine if interruption is None else interruption.run(coroutine))


async def _at_every_point(
    interrupter: Interrupter, late: bool, scene: Callable[[], Awaitable[object]]
) -> int:
    """Play `scene` again and again, interrupted one point later each time, till it is through."""
    for at in range(1, _MANY):
        interruption = Interruption(at, late=late)
        interrupter.next = interruption
        await scene()
        assert interrupter.next is None, "the handler was called"
        if not interruption.struck:
            return at
    raise AssertionError("the handler never came to its end")


async def _nothing_left(router: Router) -> None:
    await wait_until(lambda: router.chats_open == 0, "no chat to be open")
    await wait_until(lambda: residue(router.core) == [], "no residue")
    assert not router.core.life.unread
    assert all(node.busy_slots == 0 for node in router.core.registry)


async def _answer_everything(node: ScriptedNode, text: str) -> None:
    """Be an honest node that confirms cancels; what it is asked to hold, it holds."""
    with suppress(ConnectionClosed, TimeoutError):
        while True:
            frame = await node.frame()
            if frame["type"] == "cancel_request":
                await node.send(type="inference_cancelled", request_id=frame["request_id"])
                continue
            if frame["ollama_params"]["messages"] == [_HOLD.messages[0]]:
                continue
            for _ in range(3):
                await node.chunk(frame["request_id"], text)
                await node.settled()
            await node.done(frame["request_id"])


@pytest.mark.parametrize("late", [False, True], ids=["waiting", "resumed"])
@pytest.mark.parametrize("behind", [False, True], ids=["alone", "behind-another"])
async def test_a_chat_cancelled_anywhere(
    late: bool, behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its body comes in, in the queue, before the first token, between tokens, at the end."""
    interrupter = Interrupter(chat_api.chat)
    monkeypatch.setattr(routes, "chat", interrupter)
    async with (
        routing() as router,
        registered(router.url, slots=1, features=[CANCEL_ACK]) as node,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(_answer_everything, node, "x")

        async def scene() -> None:
            now = anyio.current_time()
            holder = router.core.submit(_HOLD, RecordingSink(), now) if behind else None
            async with tcp(router.url) as peer:
                request = chat_request()
                await peer.send(request[:-3])
                await wait_until(lambda: interrupter.next is None, "the handler to be called")
                with suppress(ConnectionError):
                    await peer.send(request[-3:])
                if holder is not None:
                    await wait_until(
                        lambda: router.core.life.waiting or not router.chats_open, "it to wait"
                    )
                    router.core.life.consumer_left(holder, now)
                received = b""
                while b"[DONE]" not in received and (data := await peer.receive()):
                    received += data
            await _nothing_left(router)

        assert await _at_every_point(interrupter, late, scene) > _FEW
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("late", [False, True], ids=["waiting", "resumed"])
async def test_a_chat_cancelled_while_its_consumer_is_slow(
    late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a write waits for the consumer, and where the last bytes do."""
    interrupter = Interrupter(chat_api.chat)
    monkeypatch.setattr(routes, "chat", interrupter)
    policy = Policy(max_stream_bytes=50_000_000, max_content_chars=50_000_000)
    async with routing(policy) as router, registered(router.url) as node:

        async def scene() -> None:
            async with tcp(router.url, receive_buffer=65_536) as slow:
                await slow.send(chat_request())
                asked = await node.asked()
                for _ in range(40):
                    await node.chunk(asked.request_id, "x" * 100_000)
                await node.done(asked.request_id)
                await node.settled()
                end = b""
                while b"[DONE]" not in end and (data := await slow.receive()):
                    end = (end + data)[-20:]
            await _nothing_left(router)

        assert await _at_every_point(interrupter, late, scene) > _FEW


@pytest.mark.parametrize("late", [False, True], ids=["waiting", "resumed"])
async def test_a_nodes_handler_cancelled_anywhere(
    late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after the registration, with requests running and waiting, and while closing."""
    interrupter = Interrupter(node_socket.serve_node)
    monkeypatch.setattr(routes, "serve_node", interrupter)
    async with routing(Policy(close_seconds=0.3)) as router:

        async def scene() -> None:
            with suppress(Exception):
                async with connected(router.url) as node:
                    await node.register(slots=1)
                    async with tcp(router.url) as one, tcp(router.url) as two:
                        await one.send(chat_request())
                        await two.send(chat_request())
                        asked = await node.asked()
                        await node.chunk(asked.request_id, "x")
                        await node.heartbeat()
                        await node.settled()
                        await node.done(asked.request_id)
                        await node.asked()
                        await node.raw("nonsense")
                        await node.close_frame()
            await wait_until(lambda: router.nodes_open == 0, "no node's socket to be open")
            assert len(router.core.registry) == 0
            await _nothing_left(router)

        assert await _at_every_point(interrupter, late, scene) > _FEW


async def test_the_interruption_itself_strikes_once_at_its_point() -> None:
    seen = []

    async def three_waits() -> str:
        for number in range(3):
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                seen.append(number)
        return "end"

    for at in (1, 2, 3, 4):
        interruption = Interruption(at, late=True)
        assert await interruption.run(three_waits()) == "end"
        assert interruption.struck == (at < 4)
    assert seen == [0, 1, 2]
