"""The past of the network's numbers, and how it is drawn."""

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui.network.history import (
    MAX_SERIES,
    TICK_SECONDS,
    TICKS,
    ModelNow,
    NetworkHistory,
    TotalsNow,
)
from idleclaw_tui.network.sparks import spark
from tests.screen.fakes import node


def look(
    history: NetworkHistory,
    now: float,
    speed: float,
    models: dict[str, ModelNow] | None = None,
    nodes: tuple[NodeStatus, ...] = (),
) -> None:
    """Tell a look at the network."""
    numbers = TotalsNow(speed, 1, 0)
    history.saw(now, numbers, models or {}, {told.alias: told for told in nodes})


def test_what_is_seen_holds_until_something_else_is() -> None:
    history = NetworkHistory()
    look(history, 0.0, 5.0)
    look(history, 6.0, 7.0)
    past = history.totals(8.0)["tokens_per_second"]
    assert len(past) == TICKS
    assert past[-5:] == [5.0, 5.0, 5.0, 7.0, 7.0]
    assert past[-6] is None, "before the first look nobody knows"


def test_the_last_of_a_tick_counts() -> None:
    history = NetworkHistory()
    for at, speed in ((0.0, 5.0), (0.5, 6.0), (1.0, 5.0)):
        look(history, at, speed)
    assert history.totals(0.0)["tokens_per_second"][-1:] == [5.0]


def test_while_the_router_is_lost_nobody_knows() -> None:
    history = NetworkHistory()
    look(history, 0.0, 5.0)
    history.lost(2.0)
    history.lost(6.0)
    assert history.totals(6.0)["tokens_per_second"][-4:] == [5.0, 5.0, None, None]
    look(history, 8.0, 5.0)
    assert history.totals(10.0)["tokens_per_second"][-6:] == [5.0, 5.0, None, None, 5.0, 5.0]


def test_only_so_much_is_kept() -> None:
    history = NetworkHistory()
    for tick in range(TICKS * 3):
        look(history, tick * TICK_SECONDS, float(tick))
    last = TICKS * 3 - 1
    past = history.totals(last * TICK_SECONDS)["tokens_per_second"]
    assert past == [float(tick) for tick in range(last - TICKS + 1, last + 1)]


def test_models_and_nodes_that_go_are_forgotten() -> None:
    history = NetworkHistory()
    look(history, 0.0, 1.0, {"a": ModelNow(1, 2, 3)}, (node("x", 1, 4),))
    assert history.model("a", 0.0)["queued"][-1] == 3
    assert history.node("x", 0.0)["running"][-1] == 1
    look(history, 2.0, 1.0, {}, ())
    assert history.model("a", 2.0) == history.node("x", 2.0) == {}


def test_a_node_is_followed_while_it_changes() -> None:
    history = NetworkHistory()
    same = node("x", 1, 4)
    for at, told in ((0.0, same), (2.0, same), (4.0, node("x", 3, 4))):
        look(history, at, 1.0, nodes=(told,))
    assert history.node("x", 4.0)["running"][-3:] == [1.0, 1.0, 3.0]


def test_rows_beyond_the_bound_have_no_past() -> None:
    history = NetworkHistory()
    many = {f"m{number}": ModelNow(1, 1, 1) for number in range(MAX_SERIES + 1)}
    look(history, 0.0, 1.0, many)
    assert history.model("m0", 0.0)
    assert not history.model(f"m{MAX_SERIES}", 0.0)


def test_bars() -> None:
    assert spark([], 4) == "    "
    assert spark([0, 0.001, 5, 10], 4, top=10) == "▁▂▅█"
    assert spark([None, 1, None, 0], 5) == "  ▇ ▁"
    assert spark([1, 2, 3, 4], 2, top=4) == "▇█"
    assert spark([3, 3, 3], 3) == "▇▇▇", "what does not change is no full bar"
    assert spark([1], 0) == ""
