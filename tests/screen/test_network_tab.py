"""The Network tab: rows that stay put, a chat with the row under the cursor, a router that goes."""

import pytest
from rich.cells import cell_len

from idleclaw_protocol.status import ModelStatus
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.node_events import LinkChanged, ShownAs
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing
from idleclaw_tui.widgets.keyed_table import KeyedTable
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import GEMMA, LLAMA, NODES, OLLAMA, QWEN, FakeRouter, network, node


def models(screen: Screen) -> KeyedTable:
    """Return the table of models."""
    return screen.app.screen.query_one("#models-table", KeyedTable)


def nodes(screen: Screen) -> KeyedTable:
    """Return the table of nodes."""
    return screen.app.screen.query_one("#nodes-table", KeyedTable)


async def look_again(screen: Screen, router: FakeRouter) -> None:
    """Take a fresh look at the router and show it."""
    looks = router.looks
    await screen.press("r")
    await screen.until(lambda: router.looks > looks, "fresh look")


async def test_what_the_network_can_do_is_shown() -> None:
    async with opened(FakeRouter(network()), tab="network") as screen:
        await screen.until_shown("─ nodes ─", "6/18", "─ waiting ─", "─ tok/s ─")
        await screen.until_shown("llama3.2:3b", "7/10", "0.6 s", "amber-otter", "███░ 3/4")
        assert models(screen).keys == ["gemma3:1b", "llama3.2:3b", "qwen3:8b"]


async def test_enter_on_a_model_starts_a_chat_with_it() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), Finished("stop")])
    async with opened(router, tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("down", "down", "enter")
        await screen.until(lambda: screen.prompt.has_focus, "in the chat")
        await screen.ask("Hello")
        await screen.until_shown("✓ qwen3:8b")
    assert router.bodies[0].model == "qwen3:8b"


async def test_the_cursor_stays_on_its_model_while_others_come_and_go() -> None:
    router = FakeRouter(network())
    async with opened(router, tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("down")
        assert models(screen).key_under_cursor == "llama3.2:3b"

        router.page = network((LLAMA, QWEN))
        await look_again(screen, router)
        assert models(screen).keys == ["llama3.2:3b", "qwen3:8b"]
        assert models(screen).key_under_cursor == "llama3.2:3b"

        new = GEMMA.model_copy(update={"name": "aya:8b"})
        router.page = network((LLAMA.model_copy(update={"slots_free": 1}), new, QWEN, GEMMA))
        await look_again(screen, router)
        assert models(screen).keys == ["aya:8b", "gemma3:1b", "llama3.2:3b", "qwen3:8b"]
        assert models(screen).key_under_cursor == "llama3.2:3b"
        await screen.until_shown("1/10")


async def test_sorting_by_the_next_column_and_by_a_number() -> None:
    async with opened(FakeRouter(network()), (120, 40), tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("o")
        await screen.until_shown("params↓")
        assert models(screen).keys == ["qwen3:8b", "llama3.2:3b", "gemma3:1b"]
        await screen.press("8")
        await screen.until_shown("tok/s↓")
        assert models(screen).keys == ["llama3.2:3b", "qwen3:8b", "gemma3:1b"]
        await screen.press("8")
        await screen.until_shown("tok/s↑")
        assert models(screen).keys == ["qwen3:8b", "llama3.2:3b", "gemma3:1b"]
        await screen.press("tab", "4")
        await screen.until(lambda: nodes(screen).keys[0] == "amber-otter", "sorted nodes")
        assert nodes(screen).keys[-1] == "dusty-wren", "whose speed nobody knows"


async def test_rows_stay_put_while_the_person_moves_and_s_sorts_them() -> None:
    router = FakeRouter(network())
    async with opened(router, (120, 40), tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("6")
        await screen.until(lambda: models(screen).keys[0] == "llama3.2:3b", "sorted by slots")
        await screen.press("down")
        assert "s sort" not in screen.text
        await router.publish(network((LLAMA.model_copy(update={"slots_free": 1}), QWEN, GEMMA)))
        await screen.until_shown("order changed · s sorts", "s sort ")
        assert models(screen).keys == ["llama3.2:3b", "gemma3:1b", "qwen3:8b"]
        await screen.press("s")
        await screen.until_gone("order changed")
        assert models(screen).keys == ["gemma3:1b", "llama3.2:3b", "qwen3:8b"]
        assert models(screen).key_under_cursor == "gemma3:1b"


async def test_the_filter_shows_only_some_rows_and_escape_all_of_them() -> None:
    async with opened(FakeRouter(network()), (120, 40), tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("slash", *"LLAMA")
        await screen.until_shown("Models 1 of 3", "Nodes 4 of 5")
        assert models(screen).keys == ["llama3.2:3b"]
        await screen.press("enter")
        await screen.until(lambda: models(screen).has_focus, "back in the rows")
        assert "/ LLAMA" in screen.text
        await screen.press("escape")
        await screen.until_shown("Models 3", "Nodes 5")
        await screen.press("slash", *"nothing")
        await screen.until_shown("None matches the filter. Esc clears it.")
        await screen.press("escape")
        await screen.until_shown("Models 3", "qwen3:8b")
        await screen.until(lambda: models(screen).has_focus, "back in the rows")


async def test_a_filter_may_hold_any_character_and_no_markup() -> None:
    async with opened(FakeRouter(network()), (120, 40), tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("slash", *"[/nope] 1s")
        await screen.until_shown("/ [/nope] 1s", "Models 0 of 3")


async def test_ones_own_node_is_marked() -> None:
    feed = NodeFeed()
    plan = LocalSharing(feed, OLLAMA)
    async with opened(FakeRouter(network()), (120, 40), tab="network", sharing=plan) as screen:
        await screen.until_shown("calm-heron")
        assert "yours" not in screen.text
        feed.publish(LinkChanged("connected"))
        feed.publish(ShownAs("calm-heron"))
        await screen.until_shown("yours · calm-heron")
        feed.publish(LinkChanged("waiting", "The router is restarting."))
        await screen.until_gone("yours")


async def test_the_detail_follows_cursor_and_focus() -> None:
    async with opened(FakeRouter(network()), (120, 40), tab="network") as screen:
        await screen.until_shown("on disk      815 MB")
        await screen.press("down")
        await screen.until_shown("on disk      2.0 GB", "can also     tools")
        await screen.press("tab", "down", "down", "down")
        await screen.until_shown("‖ paused · on battery")


async def test_the_detail_is_one_key_away_where_the_room_is_short() -> None:
    async with opened(FakeRouter(network()), (80, 24), tab="network") as screen:
        await screen.until_shown("amber-otter", "d detail")
        assert "on disk" not in screen.text
        await screen.press("d")
        await screen.until_shown("on disk      815 MB", "llama3.2:3b")
        await screen.press("down")
        await screen.until_shown("on disk      2.0 GB")
        await screen.press("escape")
        await screen.until_shown("amber-otter")
        await screen.press("tab", "d")
        await screen.until_shown("amber-otter", "3 of 4 busy")
        await screen.press("d")
        await screen.until_shown("gemma3:1b", "brave-lynx")


async def test_numbers_have_their_past_beside_them() -> None:
    clock, router = FakeClock(), FakeRouter(network())
    async with opened(router, (120, 40), tab="network", clock=clock) as screen:
        for speed in (10.0, 20.0, 80.0):
            clock.now += 2
            await router.publish(network(speed=speed))
            await screen.until_shown(f"│ {speed:.0f} ")
        assert "▇▂▃▇" in screen.text


async def test_an_original_router_shows_what_it_has_and_says_what_is_missing() -> None:
    async with opened(FakeRouter(None), tab="network") as screen:
        await screen.until_shown("─ nodes ─", "qwen3:8b", "This router does not tell")


async def test_an_empty_network_says_what_to_do() -> None:
    async with opened(FakeRouter(network(models=())), tab="network") as screen:
        await screen.until_shown("No model is online now. F4 opens Contribute")


async def test_a_router_that_goes_leaves_the_last_known_state_with_its_age() -> None:
    clock, router = FakeClock(), FakeRouter(network())
    async with opened(router, tab="network", clock=clock) as screen:
        await screen.until_shown("llama3.2:3b")
        router.gone = True
        await look_again(screen, router)
        clock.now += 1
        await screen.until_shown(
            "No router answers at", "Retrying in 1 s.", "as of 1 s ago · r tries"
        )
        assert "llama3.2:3b" in screen.text
        router.gone = False
        await screen.press("r")
        await screen.until_gone("as of")
        await screen.until_shown("● api.idleclaw.com · 5 nodes · 3 models")


async def test_a_thousand_models_keep_cursor_and_scroll() -> None:
    many = [
        ModelStatus(name=f"model-{n:04}:1b", nodes=1, slots_free=1, slots_total=1)
        for n in range(1000)
    ]
    router = FakeRouter(network(many))
    async with opened(router, tab="network") as screen:
        await screen.until_shown("model-0000:1b")
        models(screen).move_to(500)
        await screen.until_shown("model-0500:1b")
        await router.publish(network(many[100:]))
        await screen.until_shown("900", "model-0500:1b")
        assert models(screen).key_under_cursor == "model-0500:1b"


@pytest.mark.parametrize(
    "name", ["[red]" + "模" * 60, "\x1b[31m" + "🦙" * 64, "[/nope] \u202e" + "é" * 64]
)
async def test_names_of_wide_characters_leave_the_columns_aligned(name: str) -> None:
    odd = LLAMA.model_copy(update={"name": name})
    told = network((odd, QWEN)).model_copy(update={"nodes": (node(name, 1, 4), NODES[1])})
    async with opened(FakeRouter(told), (120, 40), tab="network") as screen:
        await screen.until_shown("qwen3:8b", "brave-lynx", "● serving")
        for first, second in (("0/6", "7/10"), ("○ idle", "● serving")):
            ends = [column_of(screen, piece) for piece in (first, second)]
            assert ends[0] == ends[1]
        widths = {cell_len(line) for line in screen.text.split("\n") if line.endswith(("│", "╮"))}
        assert widths == {119}


def column_of(screen: Screen, piece: str) -> int:
    """Return the cell where a piece ends if it is a number, which align right, else begins."""
    line = next(line for line in screen.text.split("\n") if f" {piece} " in line)
    at = line.index(f" {piece} ") + 1
    return cell_len(line[: at + len(piece) * (piece[-1].isdigit())])
