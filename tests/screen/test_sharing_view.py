"""What the screen knows of the own node."""

import threading
from dataclasses import replace
from typing import get_args

import pytest

from idleclaw_tui.node_events import (
    LinkChanged,
    LinkState,
    ModelsChanged,
    RequestChanged,
    RequestState,
    ShownAs,
    SpeedMeasured,
    StandingChanged,
)
from idleclaw_tui.node_feed import MAX_FEED, NodeFeed
from idleclaw_tui.sharing_choices import choosable
from idleclaw_tui.sharing_policy import Standing
from idleclaw_tui.sharing_rows import (
    guard_lines,
    guard_pieces,
    models_check,
    ollama_check,
    packed,
    request_cells,
    router_check,
    speed_check,
)
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.sharing_view import MAX_NEWS, MAX_REQUESTS, SharingView, Told
from tests.screen.fakes import OFFERED, OLLAMA
from tests.screen.sharing_states import CONNECTED, GUARDS, SERVING, stopped_by
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
    rows = choosable(OFFERED, {}, SharingSettings())
    none = choosable(OFFERED, {}, SharingSettings(models=()))
    one = choosable(OFFERED, {}, SharingSettings(models=("qwen3:8b",)))
    failed = SpeedMeasured("m", why_not="Ollama is gone.")
    for check, said in (
        (ollama_check(OLLAMA, "0.12.6", None, known=True), "✓ Ollama 0.12.6 at localhost:11434"),
        (ollama_check(OLLAMA, None, "No Ollama answers.", known=True), "✕ No Ollama answers."),
        (ollama_check(OLLAMA, None, None, known=False), "◌ asking Ollama at localhost:11434"),
        (models_check(rows), "✓ 2 models to share"),
        (models_check(one), "✓ 2 models found, 1 to share"),
        (models_check(none), "✕ No model is ticked. Press m, then space on one."),
        (models_check([]), "✕ No model to share. `ollama pull llama3.2:3b` fetches one."),
        (router_check("r", "No router answers.", False), "✕ No router answers."),
        (router_check("r", None, True), "✓ Router r answers"),
        (router_check("r", None, False), "◌ asking r"),
        (speed_check(None, running=False), "◌ speed not measured: s measures it"),
        (speed_check(None, running=True), "◌ measuring the speed: one short answer"),
        (
            speed_check(SpeedMeasured("m", 41.2), running=False),
            "✓ m makes 41 tok/s on this machine",
        ),
        (
            speed_check(failed, running=False),
            "✕ The speed is not measured. Ollama is gone. s tries again.",
        ),
    ):
        assert plain(check.line) == said


def test_every_state_of_a_request_has_its_word() -> None:
    for state in get_args(RequestState):
        assert request_cells(request(1, state), "")["state"].text.endswith(state)


def test_guards_are_shown_with_their_readings() -> None:
    standing = stopped_by("cpu_busy")
    pieces = [plain(piece) for piece in guard_pieces(standing, brief=False)]
    assert pieces[0] == "only when idle:"
    assert {"✕ CPU 61 %", "✓ keyboard quiet 14 min", "? GPU"} <= set(pieces)
    assert [plain(piece) for piece in guard_pieces(standing, brief=True)] == [
        "only when idle:",
        "✕ CPU 61 %",
        "? GPU",
        "✓ 7 guards",
    ]
    lines = [plain(line) for line in guard_lines(standing, SharingSettings())]
    assert "✕ CPU 61 %               stops above 40 %, goes on below 20 %" in lines
    assert "while you share" in plain(guard_lines(None, SharingSettings())[0])


@pytest.mark.parametrize("width", [1, 12, 30, 200])
def test_pieces_are_packed_and_never_broken(width: int) -> None:
    pieces = guard_pieces(SERVING, brief=False)
    lines = [plain(line) for line in packed(pieces, width)]
    assert "  ".join(lines) == "  ".join(plain(piece) for piece in pieces)
    for line in lines:
        assert len(line) <= width or line in [plain(piece) for piece in pieces]


def test_a_pause_is_said_with_its_reason_and_its_end() -> None:
    view = SharingView()
    for event in (*CONNECTED, StandingChanged(stopped_by("user_active"))):
        view.apply(event, 0.0)
    assert plain(view.sentence(1.0)) == (
        "‖ paused: you are using this machine (12 s ago) · goes on in 4 min if that stays so"
    )
    view.apply(request(1, "streaming"), 0.0)
    view.apply(StandingChanged(Standing("draining", "idle", ("on_battery",))), 0.0)
    assert "on its battery · finishing 1 request" in plain(view.sentence(1.0))
    view.apply(StandingChanged(Standing("warming", "idle")), 0.0)
    assert plain(view.sentence(1.0)).startswith("◐ getting ready")
    view.apply(StandingChanged(Standing("paused", "idle")), 0.0)
    assert "a moment longer" in plain(view.sentence(1.0))
    view.apply(LinkChanged("waiting", "This router cannot be told of a pause."), 2.0)
    assert view.paused
    view.apply(LinkChanged("waiting", "No router answers.", 5.0), 2.0)
    assert not view.paused


def test_the_news_are_bounded_and_tell_no_figures() -> None:
    view = SharingView()
    for event in CONNECTED:
        view.apply(event, 0.0, 100.0)
    told = len(view.news)
    view.apply(StandingChanged(replace(SERVING, guards=GUARDS[:1])), 1.0, 101.0)
    assert len(view.news) == told
    for number in range(2 * MAX_NEWS):
        view.apply(request(number), 1.0, 102.0)
    assert len(view.news) == MAX_NEWS
    assert view.news[-1] == Told(
        102.0, "Request 199 · tiny:1b · done · in 5 · out 10 · 5.0 tok/s · 2.0 s"
    )


def test_a_new_session_tells_its_standing_anew() -> None:
    view = SharingView()
    for event in (*CONNECTED, LinkChanged("stopped"), StandingChanged(SERVING)):
        view.apply(event, 0.0)
    assert [told.text for told in view.news].count(view.news[-1].text) == 2


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
