"""Walking through what was sent before."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.chat.prompt_history import MAX_ENTRIES, PromptHistory


def test_up_and_down_end_where_they_began() -> None:
    history = PromptHistory()
    for message in ("one", "two", "two"):
        history.add(message)
    assert history.newer() is None
    assert history.older("draft") == "two"
    assert history.older("two") == "one", "twice the same counts once"
    assert history.older("one") is None
    assert history.newer() == "two"
    assert history.newer() == "draft"
    assert history.newer() is None


def test_sending_ends_the_walk() -> None:
    history = PromptHistory()
    history.add("one")
    assert history.older("draft") == "one"
    history.add("two")
    assert history.newer() is None
    assert history.older("") == "two"


def test_an_empty_history_leaves_the_draft_alone() -> None:
    history = PromptHistory()
    assert history.older("draft") is None
    assert history.newer() is None


@given(st.lists(st.text(max_size=3), max_size=3 * MAX_ENTRIES))
def test_it_is_bounded(messages: list[str]) -> None:
    history = PromptHistory()
    for message in messages:
        history.add(message)
    steps = 0
    while history.older("draft") is not None:
        steps += 1
    assert steps <= MAX_ENTRIES
    last = None
    while (newer := history.newer()) is not None:
        last = newer
    assert last == ("draft" if steps else None)
