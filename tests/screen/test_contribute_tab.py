"""The Contribute tab: one switch, what the node does, and what is wrong with it."""

from idleclaw_tui.errors import OllamaUnreachable
from idleclaw_tui.node_events import (
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    RequestState,
)
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing, OllamaFacts
from idleclaw_tui.widgets.keyed_table import KeyedTable
from tests.screen.driving import FakeClock, Made, opened
from tests.screen.fake_node import FakeNode
from tests.screen.fakes import OFFERED, OLLAMA, FakeRouter, network, ollama_with_models
from tests.screen.sharing_states import plan


def sharing(made: Made, at_once: bool = False) -> LocalSharing:
    """Return how the fake nodes are made."""
    return plan(made, at_once=at_once)


def request(
    number: int, state: RequestState, tokens: int = 0, error: str | None = None
) -> RequestChanged:
    """Return an event of a request that began number minutes after 14:00."""
    return RequestChanged(
        number,
        "llama3.2:3b",
        state,
        started_at=number * 60.0,
        seconds=6.1,
        prompt_tokens=412,
        answer_tokens=tokens,
        tokens_per_second=38.0,
        error=error,
    )


async def test_before_sharing_there_is_a_checklist() -> None:
    made = Made()
    async with opened(FakeRouter(network()), tab="contribute", sharing=sharing(made)) as screen:
        await screen.until_shown(
            "NOT SHARING",
            "✓ Ollama 0.12.6 at localhost:11434",
            "✓ 2 models to share",
            "✓ Router api.idleclaw.com answers",
            "speed not measured: s measures it",
            "[x] qwen3:8b      about 5.2 GB",
            "[x] llama3.2:3b  2.9 GB loaded",
        )
    assert made.nodes == []


async def test_what_is_wrong_is_said_with_what_mends_it() -> None:
    async def no_ollama() -> OllamaFacts:
        raise OllamaUnreachable(OLLAMA)

    router = FakeRouter(network())
    router.gone = True
    broken = LocalSharing(NodeFeed(), OLLAMA, Made(), no_ollama)
    async with opened(router, (160, 30), tab="contribute", sharing=broken) as screen:
        await screen.until_shown("✕ No Ollama answers at", "ollama serve", "✕ No router answers at")


async def test_sharing_from_start_to_graceful_end() -> None:
    made = Made()
    async with opened(FakeRouter(network()), tab="contribute", sharing=sharing(made)) as screen:
        await screen.until_shown("NOT SHARING")
        await screen.press("space")
        await screen.until_shown("SHARING", "space stops", "ready, nobody asks")
        (node,) = made.nodes
        node.tell(ModelsChanged(OFFERED, "0.12.6"))
        node.tell(request(1, "streaming", 233))
        await screen.until_shown("serving 1 request · sharing 2 models", "14:01:00", "● streaming")
        await screen.press("space")
        await screen.until_shown("STOPPING", "x stops at once", "finishing 1 request")
        assert node.draining
        node.tell(request(1, "done", 512))
        node.stopped.set()
        await screen.until_shown("NOT SHARING", "512 tokens for 1 request", "✓ done")
        await screen.press("space")
        await screen.until(lambda: len(made.nodes) == 2, "sharing again")


async def test_stopping_at_once() -> None:
    made = Made()
    async with opened(FakeRouter(network()), tab="contribute", sharing=sharing(made)) as screen:
        await screen.press("space")
        await screen.until_shown("ready, nobody asks")
        await screen.press("x")
        await screen.until_shown("NOT SHARING")
        assert made.nodes[0].stopped.is_set()


async def test_requests_are_listed_newest_first_and_keep_the_cursor() -> None:
    made = Made()
    async with opened(FakeRouter(network()), tab="contribute", sharing=sharing(made)) as screen:
        await screen.press("space")
        await screen.until(lambda: made.nodes, "sharing")
        tell = made.nodes[0].tell
        tell(request(1, "done", 10))
        tell(request(2, "failed", 0, error="Ollama broke off."))
        await screen.until_shown("14:01:00", "14:02:00", "Ollama broke off.")
        assert screen.text.index("14:02:00") < screen.text.index("14:01:00")
        table = screen.contribute.query_one(KeyedTable)
        table.focus()
        await screen.press("down")
        tell(request(3, "loading"))
        await screen.until_shown("14:03:00", "◐ loading")
        assert table.key_under_cursor == "1"


async def test_a_lost_router_is_told_with_a_countdown() -> None:
    made, clock = Made(), FakeClock()
    router = FakeRouter(network())
    async with opened(router, tab="contribute", sharing=sharing(made), clock=clock) as screen:
        await screen.press("space")
        await screen.until_shown("ready, nobody asks")
        made.nodes[0].tell(LinkChanged("waiting", "The connection to the router broke.", 9.0))
        await screen.until_shown("WAITING", "The connection to the router broke. Retrying in 9 s.")
        clock.now += 4
        await screen.until_shown("Retrying in 5 s.")


async def test_a_fault_of_this_program_is_not_called_sharing() -> None:
    class Faulty(FakeNode):
        async def run(self) -> None:
            raise ZeroDivisionError

    faulty = LocalSharing(NodeFeed(), OLLAMA, Faulty, ollama_with_models)
    async with opened(FakeRouter(network()), tab="contribute", sharing=faulty) as screen:
        await screen.press("space")
        await screen.until_shown("NOT SHARING", "This program could not go on sharing.")


async def test_a_node_that_runs_elsewhere_is_shown_and_not_switched() -> None:
    feed = NodeFeed()
    events: list[NodeEvent] = [
        LinkChanged("connected"),
        ModelsChanged(OFFERED, None),
        request(1, "done", 7),
    ]
    for event in events:
        feed.publish(event)
    elsewhere = LocalSharing(feed, OLLAMA)
    async with opened(FakeRouter(network()), tab="contribute", sharing=elsewhere) as screen:
        await screen.until_shown("SHARING", "ends with this program", "7 tokens for 1 request")
        await screen.until_shown("This machine alone: nothing to choose here")
        await screen.press("space", "x", "l", "m", "space")
        await screen.until_shown("● qwen3:8b", "ends with this program")
        await screen.press("g")
        await screen.until(lambda: screen.text.count("nothing to choose here") == 2, "no guards")
        assert "Limits" not in screen.text


async def test_sharing_can_begin_with_the_program_and_ends_with_it() -> None:
    made = Made()
    async with opened(FakeRouter(network()), sharing=sharing(made, True)) as screen:
        await screen.until(lambda: made.nodes, "sharing")
        await screen.press("f4")
        await screen.until_shown("SHARING", "ready, nobody asks")
    assert made.nodes[0].stopped.is_set()


async def test_coming_to_the_network_takes_a_fresh_look_at_it() -> None:
    router, made = FakeRouter(network()), Made()
    async with opened(router, tab="contribute", sharing=sharing(made)) as screen:
        looks = router.looks
        await screen.press("space")
        await screen.until(lambda: router.looks > looks, "a fresh look")
