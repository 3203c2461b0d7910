"""What the screen knows of the own node."""

import threading

import pytest

from idleclaw_tui.node_feed import MAX_FEED, NodeFeed
from idleclaw_tui.sharing import (
    LinkChanged,
    LinkState,
    ModelsChanged,
    RequestChanged,
    RequestState,
    ShownAs,
)
from idleclaw_tui.sharing_rows import model_line, ollama_check, request_cells, router_check
from idleclaw_tui.sharing_view import MAX_REQUESTS, SharingView
from tests.screen.fakes import OFFERED, OLLAMA
from tests.screen.test_network_view import plain


def request(
    number: int, state: RequestState = "done", tokens: int = 10, error: str | None = None
) -> RequestChanged:
    """Return an event of a request."""
    return RequestChanged(number, "tiny:1b", state, 0.0, 2.0, 5, tokens, 5.0, error)


def test_totals_count_each_request_once() -> None:
    view = SharingView()
    view.apply(request(1, "streaming", 4), 0.0)
    assert (view.running, view.tokens, view.finished) == (1, 4, 0)
    view.apply(request(1), 1.0)
    view.apply(request(1, "failed", 99), 2.0)
    view.apply(request(2, "cancelled", 3), 2.0)
    assert (view.running, view.tokens, view.finished, view.unfinished) == (0, 13, 1, 1)
    assert view.totals() == "13 tokens for 1 request · 1 not finished"


def test_the_table_is_bounded_and_running_requests_stay() -> None:
    view = SharingView()
    view.apply(request(0, "streaming"), 0.0)
    for number in range(1, MAX_REQUESTS + 50):
        view.apply(request(number), 0.0)
    assert len(view.requests) == MAX_REQUESTS
    assert 0 in view.requests
    assert view.finished == MAX_REQUESTS + 49


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("stopped", "○ not sharing"),
        ("connecting", "◐ connecting to the router"),
        ("waiting", "◌ waiting to share"),
        ("refused", "✕ the router refused this node"),
        ("draining", "‖ finishing 0 requests, then stopping"),
        ("connected", "○ ready, nobody asks · sharing 2 models · connected for 3 min"),
    ],
)
def test_the_link_in_words(state: LinkState, said: str) -> None:
    view = SharingView()
    view.apply(ModelsChanged(OFFERED, "0.12.6"), 0.0)
    view.apply(LinkChanged(state), 20.0)
    assert plain(view.sentence(200.0)) == said


def test_serving_is_said_with_the_number() -> None:
    view = SharingView()
    view.apply(LinkChanged("connected"), 0.0)
    view.apply(request(1, "streaming"), 0.0)
    assert plain(view.sentence(5.0)).startswith("● serving 1 request")


def test_the_same_link_state_does_not_restart_its_clock() -> None:
    view = SharingView()
    view.apply(LinkChanged("connected"), 0.0)
    view.apply(LinkChanged("connected"), 100.0)
    assert "connected for 3 min" in plain(view.sentence(190.0))


def test_trouble_is_said_with_a_countdown() -> None:
    view = SharingView()
    view.apply(LinkChanged("waiting", "No router answers", 8.0), 10.0)
    assert view.detail(12.0) == "No router answers. Retrying in 6 s."
    assert view.detail(30.0) == "No router answers. Retrying now."
    view.apply(LinkChanged("connected"), 31.0)
    assert view.detail(32.0) == ""


def test_speed_is_tokens_between_two_samples() -> None:
    view = SharingView()
    view.sample(0.0)
    view.apply(request(1, "streaming", 30), 0.5)
    view.sample(2.0)
    view.apply(request(1, "done", 40), 2.5)
    view.sample(3.0)
    assert list(view.speeds) == [15.0, 10.0]


def test_the_feed_keeps_the_newest_of_each() -> None:
    feed = NodeFeed()
    feed.publish(LinkChanged("connecting"))
    feed.publish(request(1, "streaming", 1))
    feed.publish(LinkChanged("connected"))
    feed.publish(request(1, "streaming", 2))
    assert feed.drain() == [LinkChanged("connected"), request(1, "streaming", 2)]
    assert feed.drain() == []


def test_the_feed_takes_events_from_any_thread_and_stays_bounded() -> None:
    feed = NodeFeed()

    def publish(first: int) -> None:
        for number in range(first, first + MAX_FEED):
            feed.publish(request(number))

    threads = [threading.Thread(target=publish, args=(n * MAX_FEED,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(feed.drain()) == MAX_FEED


def test_a_request_row_holds_metadata_alone() -> None:
    cells = request_cells(request(7, "failed", 0, "Ollama broke off."), "14:02:11")
    assert [cells[key].text for key in ("when", "model", "state", "in", "out", "note")] == [
        "14:02:11",
        "tiny:1b",
        "✕ failed",
        "5",
        "0",
        "Ollama broke off.",
    ]


def test_the_checklist_says_what_mends_it() -> None:
    assert plain(ollama_check(OLLAMA, "0.12.6", 2, None)).startswith("✓ Ollama 0.12.6 at")
    assert "ollama pull" in plain(ollama_check(OLLAMA, "0.12.6", 0, None))
    assert plain(ollama_check(OLLAMA, None, None, "No Ollama answers.")) == "✕ No Ollama answers."
    assert plain(ollama_check(OLLAMA, None, None, None)).startswith("◌")
    assert plain(router_check("r", "No router answers.", False)) == "✕ No router answers."
    assert plain(router_check("r", None, True)) == "✓ Router r answers"
    assert plain(model_line(OFFERED[1])) == "● llama3.2:3b  3.2B Q4_K_M · 2.0 GB · 8k context"


def test_the_alias_lasts_as_long_as_the_connection() -> None:
    view = SharingView()
    view.apply(LinkChanged("connected"), 0.0)
    view.apply(ShownAs("amber-otter-417"), 0.0)
    view.apply(LinkChanged("connected", "Ollama is gone."), 1.0)
    assert view.alias == "amber-otter-417"
    view.apply(LinkChanged("draining"), 2.0)
    assert view.alias == "amber-otter-417"
    view.apply(LinkChanged("waiting", "No router.", 2.0), 3.0)
    assert view.alias is None
