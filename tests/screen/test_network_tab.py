"""The Network tab: rows that stay put, a chat with the row under the cursor, a router that goes."""

from idleclaw_protocol.status import ModelStatus
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.widgets.keyed_table import Column, KeyedTable, fit_columns
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import GEMMA, LLAMA, QWEN, FakeRouter, network


def models(screen: Screen) -> KeyedTable:
    """Return the table of models."""
    return screen.app.screen.query_one("#models-table", KeyedTable)


def keys(table: KeyedTable) -> list[str | None]:
    """Return the keys of a table's rows in the order shown."""
    return [row.key.value for row in table.ordered_rows]


async def look_again(screen: Screen, router: FakeRouter) -> None:
    """Take a fresh look at the router and show it."""
    looks = router.looks
    await screen.press("r")
    await screen.until(lambda: router.looks > looks, "fresh look")


async def test_what_the_network_can_do_is_shown() -> None:
    async with opened(FakeRouter(network()), tab="network") as screen:
        await screen.until_shown("nodes 5", "running 6/18", "waiting 3", "84 tok/s")
        await screen.until_shown("llama3.2:3b", "7/10", "0.6 s", "amber-otter", "███░ 3/4")
        assert keys(models(screen)) == ["gemma3:1b", "llama3.2:3b", "qwen3:8b"]


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
        assert keys(models(screen)) == ["llama3.2:3b", "qwen3:8b"]
        assert models(screen).key_under_cursor == "llama3.2:3b"

        new = GEMMA.model_copy(update={"name": "aya:8b"})
        router.page = network((LLAMA.model_copy(update={"slots_free": 1}), new, QWEN, GEMMA))
        await look_again(screen, router)
        assert keys(models(screen)) == ["aya:8b", "gemma3:1b", "llama3.2:3b", "qwen3:8b"]
        assert models(screen).key_under_cursor == "llama3.2:3b"
        await screen.until_shown("1/10")


async def test_only_changed_cells_are_drawn_again() -> None:
    router = FakeRouter(network())
    async with opened(router, tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        before = {key: models(screen).get_row(key or "") for key in keys(models(screen))}
        router.page = network((LLAMA.model_copy(update={"slots_free": 1}), QWEN, GEMMA))
        await look_again(screen, router)
        await screen.until_shown("1/10")
        for key, cells in before.items():
            now = models(screen).get_row(key or "")
            changed = [old is not new for old, new in zip(cells, now, strict=True)]
            assert changed.count(True) == (1 if key == "llama3.2:3b" else 0)


async def test_sorting_by_speed_and_back() -> None:
    async with opened(FakeRouter(network()), tab="network") as screen:
        await screen.until_shown("qwen3:8b")
        await screen.press("s")
        await screen.until_shown("sorted by free")
        assert keys(models(screen))[0] == "llama3.2:3b"
        await screen.press("s", "s")
        await screen.until_shown("sorted by name")
        assert keys(models(screen))[0] == "gemma3:1b"


async def test_the_detail_follows_cursor_and_focus() -> None:
    async with opened(FakeRouter(network()), tab="network") as screen:
        await screen.until_shown("on disk      815 MB")
        await screen.press("down")
        await screen.until_shown("on disk      2.0 GB", "can also     tools")
        await screen.press("tab", "down", "down", "down")
        await screen.until_shown("‖ paused · on battery")


async def test_an_original_router_shows_what_it_has_and_says_what_is_missing() -> None:
    async with opened(FakeRouter(None), tab="network") as screen:
        await screen.until_shown("nodes 2", "running 1", "qwen3:8b", "This router does not tell")


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
        await screen.until_shown("No router answers at", "Retrying in 1 s.", "as of 1 s ago")
        assert "llama3.2:3b" in screen.text
        router.gone = False
        await screen.press("r")
        await screen.until_gone("as of")
        await screen.until_shown("● api.idleclaw.com · 5 nodes · 3 models")


def test_columns_go_by_rank_where_the_room_is_short() -> None:
    columns = (
        Column("name", "name", 10, flexible=True),
        Column("b", "b", 5, rank=2),
        Column("a", "a", 5, rank=1),
    )
    assert [(c.key, w) for c, w in fit_columns(columns, 40)] == [("name", 24), ("b", 5), ("a", 5)]
    assert [(c.key, w) for c, w in fit_columns(columns, 25)] == [("name", 16), ("a", 5)]
    assert [(c.key, w) for c, w in fit_columns(columns, 3)] == [("name", 10)]


async def test_a_thousand_models_keep_cursor_and_scroll() -> None:
    many = [
        ModelStatus(name=f"model-{n:04}:1b", nodes=1, slots_free=1, slots_total=1)
        for n in range(1000)
    ]
    router = FakeRouter(network(many))
    async with opened(router, tab="network") as screen:
        await screen.until_shown("model-0000:1b")
        table = models(screen)
        table.move_cursor(row=500, animate=False)
        await screen.until_shown("model-0500:1b")
        router.page = network(many[100:])
        await look_again(screen, router)
        assert table.key_under_cursor == "model-0500:1b"
