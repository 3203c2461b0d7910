"""A consumer that leaves: its node hears of it at once, wherever the request stands."""

from idleclaw_protocol.frames import CANCEL_ACK
from tests.router.consumer import asking
from tests.router.raw_http import chat_request, tcp
from tests.router.running import BOTH_LOOPS, pass_time, residue, routing
from tests.router.scripted_node import registered
from tests.waiting import wait_until

pytestmark = BOTH_LOOPS


async def test_before_the_first_token() -> None:
    """A20: a prompt that is still being read by the model is cancelled as well."""
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url):
            asked = await node.asked()
        assert await node.cancelled() == asked.request_id
        assert router.core.counters.cancelled == 1


async def test_in_mid_stream() -> None:
    """A20: the node is told although tokens are on their way."""
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url) as answer:
            asked = await node.asked()
            await node.chunk(asked.request_id, "x")
            await answer.event()
        assert await node.cancelled() == asked.request_id


async def test_in_the_queue() -> None:
    """A19: one who waits costs nothing after leaving, and the next moves up."""
    async with routing() as router, registered(router.url, slots=1) as node:
        async with asking(router.url, "one") as one:
            first = await node.asked()
            async with asking(router.url, "two") as two:
                await two.event()
                async with asking(router.url, "three") as three:
                    assert (await three.event())["queue"]["position"] == 2
                    await two.response.aclose()
                    await wait_until(lambda: router.core.life.waiting == 1, "two to be gone")
                    pass_time(router, 3)
                    assert (await three.event())["queue"]["position"] == 1
                    await node.answer(first.request_id, "x")
                    await one.rest()
                    asked = await node.asked()
                    assert asked.prompt == "three"
                    await node.answer(asked.request_id, "x")
                    await three.rest()


async def test_forty_that_leave_at_once_leave_nothing() -> None:
    """A19: connections that are cut right after the request hold no slot."""
    async with routing() as router, registered(router.url, slots=10) as node:
        for _ in range(40):
            async with tcp(router.url) as stream:
                await stream.send(chat_request())
        await node.settled()
        await wait_until(lambda: router.chats_open == 0, "all handlers to end")
        assert residue(router.core) == []


async def test_a_reset_in_the_middle_of_the_body() -> None:
    async with routing() as router, registered(router.url):
        for cut in (1, 40, 110, 140):
            async with tcp(router.url) as stream:
                await stream.send(chat_request()[:cut])
        await wait_until(lambda: router.chats_open == 0, "no handler")
        assert residue(router.core) == []


async def test_a_slot_stays_taken_until_the_cancel_is_confirmed() -> None:
    """A20: the next request is not sent to a GPU that still works on a cancelled one."""
    async with (
        routing() as router,
        registered(router.url, slots=1, features=[CANCEL_ACK]) as node,
    ):
        async with asking(router.url, "one"):
            one = await node.asked()
        assert await node.cancelled() == one.request_id
        async with asking(router.url, "two") as two:
            await two.event()
            await node.send(type="inference_cancelled", request_id=one.request_id)
            asked = await node.asked()
            assert asked.prompt == "two"
            await node.answer(asked.request_id, "x")
            await two.rest()


async def test_an_end_that_crosses_the_cancel_confirms_it() -> None:
    """A20: a request that ended by itself needs no confirmation, its node may never send one."""
    async with (
        routing() as router,
        registered(router.url, slots=1, features=[CANCEL_ACK]) as node,
    ):
        for ending in ("done", "error", "decline"):
            async with asking(router.url, "one"):
                one = await node.asked()
            await wait_until(lambda: not router.core.life.active, "the end")
            if ending == "done":
                await node.done(one.request_id)
            elif ending == "error":
                await node.error(one.request_id)
            else:
                await node.send(type="inference_decline", request_id=one.request_id, reason="busy")
            async with asking(router.url, "two") as two:
                asked = await node.asked()
                assert asked.prompt == "two"
                await node.answer(asked.request_id, "x")
                await two.rest()
        assert router.core.counters.strays == 0


async def test_a_cancel_that_is_never_confirmed_frees_its_slot_in_the_end() -> None:
    async with (
        routing() as router,
        registered(router.url, slots=1, features=[CANCEL_ACK]) as node,
    ):
        async with asking(router.url, "one"):
            await node.asked()
        async with asking(router.url, "two") as two:
            await two.event()
            pass_time(router, 9)
            assert router.core.life.waiting == 1
            pass_time(router, 11)
            asked = await node.asked()
            await node.answer(asked.request_id, "x")
            await two.rest()
