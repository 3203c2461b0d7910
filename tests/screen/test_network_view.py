"""What the screen knows of the network, and how it says it."""

from idleclaw_protocol.status import Network
from idleclaw_tui.network_detail import model_detail, node_detail, past_shown, tiles, totals_line
from idleclaw_tui.network_rows import load_bar, model_cells, node_cells
from idleclaw_tui.network_view import (
    ModelRow,
    NetworkView,
    picture_of_basics,
    picture_of_network,
)
from idleclaw_tui.words import Toned
from tests.screen.fakes import GEMMA, LLAMA, NODES, SERVER, FakeRouter, network, node


def plain(parts: tuple[Toned, ...]) -> str:
    """Return the text of a line."""
    return "".join(part.text for part in parts)


def test_a_picture_of_api_network() -> None:
    picture = picture_of_network(network())
    assert (picture.node_count, picture.running, picture.queued) == (5, 6, 3)
    assert picture.suggested == "llama3.2:3b"
    assert picture.missing is None
    row = picture.model("llama3.2:3b")
    assert row is not None
    assert row.description == "3.2B Q4_K_M · 8k context"
    assert row.availability == "5 nodes, 7 slots free"


def test_a_picture_of_what_an_original_router_tells() -> None:
    picture = picture_of_basics(*FakeRouter(None).basics)
    assert picture.nodes is None
    assert picture.missing is not None
    assert picture.suggested == "llama3.2:3b"
    row = picture.model("qwen3:8b")
    assert row is not None
    assert (row.nodes, row.slots_free, row.capabilities) == (1, None, ("thinking",))
    assert row.availability == "1 node"
    cells = model_cells(row)
    assert cells["free"].text == cells["speed"].text == cells["context"].text == "—"


def test_the_headline_fits_its_room() -> None:
    view = NetworkView(SERVER)
    assert plain(view.headline(0.0, 80)) == "◌ connecting to api.idleclaw.com"
    view.saw(picture_of_network(network()), 0.0)
    assert plain(view.headline(0.0, 80)) == "● api.idleclaw.com · 5 nodes · 3 models"
    assert plain(view.headline(0.0, 22)) == "● 5 nodes · 3 models"
    assert plain(view.headline(0.0, 10)) == "● 5 nodes"
    assert plain(view.headline(0.0, 1)) == "● "


def test_a_lost_router_is_said_with_age_and_countdown() -> None:
    view = NetworkView(SERVER)
    view.saw(picture_of_network(network()), 100.0)
    view.lost("No router answers", 130.0, 8.0)
    assert not view.reachable
    assert view.models, "the last known state stays"
    assert view.trouble(132.0) == "No router answers. Retrying in 6 s."
    assert view.trouble(140.0) == "No router answers. Retrying now."
    assert view.staleness(142.0) == "as of 42 s ago"
    assert "unreachable · retrying in 6 s" in plain(view.headline(132.0, 80))
    view.saw(picture_of_network(network()), 150.0)
    assert view.reachable
    assert view.trouble(151.0) is None


def test_a_label_stands_for_the_address() -> None:
    view = NetworkView(SERVER, "embedded network on this machine")
    view.saw(picture_of_network(network()), 0.0)
    assert "embedded network on this machine" in plain(view.headline(0.0, 80))


def test_a_bar_is_full_only_where_nothing_is_free() -> None:
    assert load_bar(node("a", 0, 4)) == "░░░░"
    assert load_bar(node("a", 1, 60)) == "█░░░"
    assert load_bar(node("a", 59, 60)) == "███░"
    assert load_bar(node("a", 60, 60)) == "████"
    assert load_bar(node("a", 0, 0)) == "░░░░"


def test_details_say_what_is_known_and_nothing_else() -> None:
    view = NetworkView(SERVER)
    view.saw(picture_of_network(network()), 0.0)
    llama = [plain(line) for line in model_detail(ModelRow.of(LLAMA), view, 0.0, 40)]
    assert "first token  0.6 s, 1 in 20 2.1 s" in llama
    assert "on disk      2.0 GB" in llama
    gemma = [plain(line) for line in model_detail(ModelRow.of(GEMMA), view, 0.0, 40)]
    assert not any(line.startswith(("speed", "first token", "memory")) for line in gemma)
    paused = [plain(line) for line in node_detail(NODES[3], view, 0.0, 40)]
    assert "state        ‖ paused · on battery" in paused


def test_the_detail_shows_what_the_row_went_through() -> None:
    view = NetworkView(SERVER)
    for second, free in enumerate((10, 10, 5, 0)):
        row = LLAMA.model_copy(update={"slots_free": free})
        view.saw(picture_of_network(network((row,))), second * 2.0)
    lines = [plain(line) for line in model_detail(ModelRow.of(row), view, 6.0, 40)]
    assert "slots        10 of 10 busy  " + "▁▁▅█".rjust(12) in lines
    assert past_shown(40) == "last 24 s"
    narrow = [plain(line) for line in model_detail(ModelRow.of(row), view, 6.0, 34)]
    assert "slots        10 of 10 busy" in narrow
    assert past_shown(34) == ""


def test_ones_own_node_is_marked_in_words() -> None:
    view = NetworkView(SERVER)
    assert node_cells(NODES[0])["node"].text == "amber-otter"
    assert node_cells(NODES[0], own=True)["node"].text == "yours · amber-otter"
    assert not any("yours" in plain(line) for line in node_detail(NODES[0], view, 0.0, 40))
    view.own_alias = "amber-otter"
    assert plain(node_detail(NODES[0], view, 0.0, 40)[0]).startswith("machine      yours")


def test_totals_fit_their_room() -> None:
    view = NetworkView(SERVER)
    assert "asking the router" in plain(totals_line(view, 0.0, 80))
    view.saw(picture_of_network(network()), 0.0)
    whole = "running 6/18  waiting 3  tok/s 84  nodes 5  models 3"
    assert plain(totals_line(view, 0.0, 80)).strip() == whole
    for width in range(12, 80):
        assert len(plain(totals_line(view, 0.0, width)).rstrip()) <= width
    empty = Network.model_validate(network(models=()).model_dump() | {"nodes": ()})
    view.saw(picture_of_network(empty), 0.0)
    assert "models 0" in plain(totals_line(view, 0.0, 80))


def test_tiles_of_a_router_that_does_not_tell_all() -> None:
    view = NetworkView(SERVER)
    assert {tile.value for tile in tiles(view, 0.0)} == {"—"}
    view.saw(picture_of_basics(*FakeRouter(None).basics), 0.0)
    assert [tile.value for tile in tiles(view, 0.0)] == ["2", "2", "1", "—", "—"]
