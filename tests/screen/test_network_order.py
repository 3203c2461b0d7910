"""Rows that keep their places while the person moves, and the filter."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.status import NodeStatus
from idleclaw_tui.network_order import (
    MODEL_SORTS,
    NODE_SORTS,
    RESORT_SECONDS,
    STILL_SECONDS,
    Filter,
    SteadyOrder,
)
from idleclaw_tui.network_rows import MODEL_COLUMNS, NODE_COLUMNS
from idleclaw_tui.network_view import ModelRow
from tests.screen.fakes import GEMMA, LLAMA, NODES, QWEN

ROWS = [ModelRow.of(model) for model in (LLAMA, QWEN, GEMMA)]


def speeds(**speeds: float) -> dict[str, ModelRow]:
    """Return models with these speeds."""
    return {name: ModelRow(name, 1, tokens_per_second=speed) for name, speed in speeds.items()}


def by_speed(now: float = 0.0) -> SteadyOrder[ModelRow]:
    """Return an order by speed that the person asked for at `now`."""
    order = SteadyOrder(MODEL_SORTS)
    assert order.sort_by("speed", now)
    return order


def test_names_are_always_in_order() -> None:
    order = SteadyOrder(MODEL_SORTS)
    assert order.arrange(speeds(b=1, c=9), 0.0) == ["b", "c"]
    order.touched(0.0)
    assert order.arrange(speeds(c=1, b=9, a=3), 0.0) == ["a", "b", "c"]
    assert not order.stale


def test_rows_stay_put_while_the_person_moves_and_the_new_order_is_offered() -> None:
    order = by_speed()
    assert order.arrange(speeds(a=1, b=9, gone=4, c=2), 0.0) == ["b", "gone", "c", "a"]
    assert not order.stale
    assert order.arrange(speeds(a=8, b=1, c=2, new=5), 1.0) == ["b", "c", "a", "new"]
    assert order.stale
    order.sort_now(2.0)
    assert order.arrange(speeds(a=8, b=1, c=2, new=5), 2.0) == ["a", "new", "c", "b"]
    assert not order.stale


def test_rows_are_sorted_again_now_and_then_where_nobody_moves() -> None:
    order = by_speed()
    order.arrange(speeds(a=1, b=9), 0.0)
    late = STILL_SECONDS
    assert order.arrange(speeds(a=9, b=1), late - 1) == ["b", "a"]
    assert order.arrange(speeds(a=9, b=1), late) == ["a", "b"]
    assert order.arrange(speeds(a=1, b=9), late + 1) == ["a", "b"], "not every time"
    assert not order.stale, "nothing to be offered: it comes by itself"
    assert order.arrange(speeds(a=1, b=9), late + RESORT_SECONDS) == ["b", "a"]


def test_the_same_column_again_sorts_backwards() -> None:
    order = by_speed()
    assert order.sort_by("speed", 0.0)
    assert order.arrange(speeds(a=1, b=9), 0.0) == ["a", "b"]
    assert not order.sort_by("no such column", 0.0)


def test_what_nobody_knows_comes_last_both_ways() -> None:
    rows = speeds(a=1, b=2) | {"unknown": ModelRow("unknown", None)}
    order = by_speed()
    assert order.arrange(rows, 0.0) == ["b", "a", "unknown"]
    order.sort_by("speed", 0.0)
    assert order.arrange(rows, 0.0) == ["a", "b", "unknown"]


def test_the_next_column_is_one_that_is_shown() -> None:
    order = SteadyOrder(MODEL_SORTS)
    said = []
    for _ in range(3):
        order.sort_by_next(["model", "free", "speed"], 0.0)
        said.append((order.by.column, order.descending))
    assert said == [("free", True), ("speed", True), ("model", False)]
    order.sort_by_next(["model"], 0.0)
    assert not order.descending, "the only column is not turned round"


def test_every_column_can_be_sorted_by() -> None:
    assert [by.column for by in MODEL_SORTS] == [column.key for column in MODEL_COLUMNS]
    assert [by.column for by in NODE_SORTS] == [column.key for column in NODE_COLUMNS]
    for by in MODEL_SORTS:
        SteadyOrder([by]).arrange({row.name: row for row in ROWS}, 0.0)
    nodes: dict[str, NodeStatus] = {node.alias: node for node in NODES}
    for sort in NODE_SORTS:
        SteadyOrder([sort]).arrange(nodes, 0.0)


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["qwen3:14b", "Qwen3:8b", "qwen3", "llama3.2:3b", "llama3.10:1b", "9" * 5000]
    order = SteadyOrder(MODEL_SORTS)
    sorted_names = order.arrange({name: ModelRow(name, 1) for name in names}, 0.0)
    assert sorted_names[-5:] == ["llama3.2:3b", "llama3.10:1b", "qwen3", "Qwen3:8b", "qwen3:14b"]


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 100)), st.floats(0, 20)
        ),
        max_size=12,
    )
)
def test_every_row_stands_once_and_those_that_stay_keep_their_order(
    looks: list[tuple[dict[str, float], float]],
) -> None:
    order, now, before = by_speed(), 0.0, list[str]()
    for told, passed in looks:
        now += passed
        order.touched(now)
        keys = order.arrange(speeds(**told), now)
        assert sorted(keys) == sorted(told)
        if before:
            assert [key for key in keys if key in before] == [k for k in before if k in told]
        before = keys


def test_the_filter_finds_all_words_in_whatever_case() -> None:
    assert set(Filter("").models(ROWS)) == {"llama3.2:3b", "qwen3:8b", "gemma3:1b"}
    assert set(Filter("Q4_k_m  3B").models(ROWS)) == {"llama3.2:3b"}
    assert set(Filter("tools").models(ROWS)) == {"llama3.2:3b", "qwen3:8b"}
    assert set(Filter("paused").nodes(NODES, None)) == {"dusty-wren"}
    assert set(Filter("gemma").nodes(NODES, None)) == {"early-crane"}
    assert set(Filter("yours").nodes(NODES, "calm-heron")) == {"calm-heron"}
    assert Filter("  ").words == ""
