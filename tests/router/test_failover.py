"""What happens when a node cannot go on: another one until the first token, an error after it."""

from collections.abc import Awaitable, Callable

import pytest

from idleclaw_protocol.frames import DECLINE
from idleclaw_server.policy import Policy
from idleclaw_server.service import Router
from tests.router.consumer import asking, content, finish
from tests.router.running import pass_time, routing
from tests.router.scripted_node import Asked, ScriptedNode, registered
from tests.waiting import wait_until

Fault = Callable[[Router, ScriptedNode, Asked], Awaitable[object]]

_PATIENT = Policy(heartbeat_timeout_seconds=500)


async def _lost(router: Router, node: ScriptedNode, asked: Asked) -> None:
    node.cut()


async def _closed(router: Router, node: ScriptedNode, asked: Asked) -> None:
    await node.socket.close()


async def _error(router: Router, node: ScriptedNode, asked: Asked) -> None:
    await node.error(asked.request_id)


async def _silent(router: Router, node: ScriptedNode, asked: Asked) -> None:
    pass_time(router, 0)
    pass_time(router, 61)


async def _declined(router: Router, node: ScriptedNode, asked: Asked) -> None:
    await node.send(type="inference_decline", request_id=asked.request_id, reason="busy")


async def _nonsense(router: Router, node: ScriptedNode, asked: Asked) -> None:
    await node.chunk(asked.request_id, 7)


_FAULTS = [_lost, _closed, _error, _silent, _declined, _nonsense]


async def _whose_turn(nodes: list[ScriptedNode]) -> tuple[ScriptedNode, Asked]:
    """Return the one of the nodes that got the request, and the request."""
    import anyio

    found: list[tuple[ScriptedNode, Asked]] = []
    async with anyio.create_task_group() as tasks:

        async def listen(node: ScriptedNode) -> None:
            found.append((node, await node.asked()))
            tasks.cancel_scope.cancel()

        for node in nodes:
            tasks.start_soon(listen, node)
    return found[0]


@pytest.mark.parametrize("fault", _FAULTS)
async def test_before_the_first_token_another_node_takes_over(fault: Fault) -> None:
    """A12: the consumer sees nothing of it but time."""
    async with (
        routing(_PATIENT) as router,
        registered(router.url, "a", features=[DECLINE]) as a,
        registered(router.url, "b", features=[DECLINE]) as b,
        asking(router.url) as answer,
    ):
        first, asked = await _whose_turn([a, b])
        await fault(router, first, asked)
        second = b if first is a else a
        again = await second.asked()
        assert again.params == asked.params
        assert again.request_id != asked.request_id
        await second.answer(again.request_id, "fine")
        events = await answer.rest()
    assert "".join(map(content, events)) == "fine"
    assert finish(events[-1]) == "stop"


@pytest.mark.parametrize("fault", _FAULTS)
async def test_after_the_first_token_the_stream_ends_with_an_error(fault: Fault) -> None:
    """What was delivered stands; the reason names no node."""
    async with (
        routing(_PATIENT) as router,
        registered(router.url, "node-with-a-name", features=[DECLINE]) as node,
        registered(router.url, "node-in-reserve", ["other:1b"]),
        asking(router.url) as answer,
    ):
        asked = await node.asked()
        await node.chunk(asked.request_id, "half")
        await answer.event()
        await fault(router, node, asked)
        end = (await answer.rest())[-1]
    assert finish(end) == "error"
    assert end["error"]["code"] in ("node_lost", "node_error", "timeout")
    assert content(end) == f"\n\n[Error: {end['error']['message']}]"
    assert "node-" not in str(end)
    assert "turned the request down" not in str(end), "it was answering already"


async def test_thinking_counts_as_the_first_token() -> None:
    async with routing() as router, registered(router.url, "a") as a:
        async with registered(router.url, "b") as b, asking(router.url) as answer:
            node, asked = await _whose_turn([a, b])
            await node.chunk(asked.request_id, "", message={"thinking": "hm"})
            await node.error(asked.request_id)
            assert finish((await answer.rest())[-1]) == "error"


async def test_chunks_without_visible_text_do_not_stop_a_failover() -> None:
    async with routing() as router, registered(router.url, "a") as a:
        async with registered(router.url, "b") as b, asking(router.url) as answer:
            node, asked = await _whose_turn([a, b])
            await node.chunk(asked.request_id, "")
            await node.chunk(asked.request_id, "\x1b[0m")
            await node.error(asked.request_id)
            other = b if node is a else a
            await other.answer((await other.asked()).request_id, "fine")
            assert await answer.text() == "fine"


async def test_nothing_of_a_failed_attempt_colours_the_next() -> None:
    """A7: an escape sequence that one node left open does not swallow another's text."""
    async with routing() as router, registered(router.url, "a") as a:
        async with registered(router.url, "b") as b, asking(router.url) as answer:
            node, asked = await _whose_turn([a, b])
            await node.chunk(asked.request_id, "\x1b]0;", message={"thinking": "\x1bP"})
            await node.error(asked.request_id)
            other = b if node is a else a
            again = await other.asked()
            await other.chunk(again.request_id, "fine", message={"thinking": "hm"})
            await other.done(again.request_id)
            assert await answer.text() == "hmfine"


async def test_at_most_two_further_nodes_and_never_one_twice() -> None:
    async with routing() as router:
        nodes = {}
        async with (
            registered(router.url, "a") as nodes["a"],
            registered(router.url, "b") as nodes["b"],
            registered(router.url, "c") as nodes["c"],
            registered(router.url, "d") as nodes["d"],
            asking(router.url) as answer,
        ):
            tried = []
            for _ in range(3):
                node, asked = await _whose_turn([n for n in nodes.values() if n not in tried])
                tried.append(node)
                await node.error(asked.request_id)
            end = (await answer.rest())[-1]
            assert end["error"]["code"] == "node_error"
            assert router.core.counters.retries == 2


async def test_a_retry_waits_for_a_busy_node_rather_than_failing() -> None:
    async with routing() as router, registered(router.url, "a", slots=1) as a:
        async with asking(router.url, "first") as first:
            held = await a.asked()
            async with registered(router.url, "b", slots=1) as b:
                async with asking(router.url, "second") as second:
                    asked = await b.asked()
                    await b.error(asked.request_id)
                    await b.settled()
                    await a.answer(held.request_id, "one")
                    assert await first.text() == "one"
                    again = await a.asked()
                    assert again.prompt == "second"
                    await a.answer(again.request_id, "two")
                    assert await second.text() == "two"


async def test_the_only_node_that_fails_is_the_end_at_once() -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        await node.error((await node.asked()).request_id, "ollama_unavailable")
        (end,) = await answer.rest()
    assert end["error"]["code"] == "node_error"


async def test_declining_is_not_held_against_a_node_and_failing_is() -> None:
    async with routing() as router, registered(router.url, features=[DECLINE]) as node:
        listed = next(iter(router.core.registry))
        async with asking(router.url) as answer:
            await _declined(router, node, await node.asked())
            (end,) = await answer.rest()
            assert end["error"]["code"] == "overloaded"
        assert listed.standing.reliability == 1.0
        async with asking(router.url) as answer:
            await node.error((await node.asked()).request_id)
            await answer.rest()
        assert listed.standing.reliability == 0.8


async def test_declining_without_having_offered_it_is_a_failure() -> None:
    async with routing() as router, registered(router.url) as node, asking(router.url) as answer:
        listed = next(iter(router.core.registry))
        await _declined(router, node, await node.asked())
        (end,) = await answer.rest()
        assert end["error"]["code"] == "node_error"
        assert listed.standing.reliability == 0.8


async def test_a_node_that_stays_silent_after_tokens_is_given_up_after_the_gap() -> None:
    """A12: the gap between two chunks has a limit of its own."""
    async with routing(_PATIENT) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "x")
            await answer.event()
            pass_time(router, 0)
            pass_time(router, 59)
            assert len(router.core.life.active) == 1
            pass_time(router, 61)
            assert (await answer.rest())[-1]["error"]["code"] == "timeout"
            assert await node.cancelled() == asked.request_id


async def test_a_model_that_is_being_loaded_gets_more_time() -> None:
    async with routing(_PATIENT) as router, registered(router.url) as node:
        await node.heartbeat(loaded=[])
        await node.settled()
        async with asking(router.url) as answer:
            asked = await node.asked()
            pass_time(router, 170)
            assert len(router.core.life.active) == 1
            await node.answer(asked.request_id, "x")
            assert await answer.text() == "x"


async def test_a_first_token_that_never_comes() -> None:
    async with routing(_PATIENT) as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            pass_time(router, 61)
            assert (await answer.rest())[-1]["error"]["code"] == "timeout"
            assert await node.cancelled() == asked.request_id
            await wait_until(lambda: next(iter(router.core.registry)).busy_slots == 0, "the slot")
