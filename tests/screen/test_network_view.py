"""What the screen knows of the network, and how it says it."""

from idleclaw_protocol.status import Network
from idleclaw_tui.network_rows import load_bar, model_cells, model_detail, node_detail, totals_line
from idleclaw_tui.network_view import (
    HISTORY,
    ModelRow,
    NetworkView,
    in_order,
    in_steady_order,
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
    assert plain(totals_line(view, 142.0)).endswith("as of 42 s ago")
    view.saw(picture_of_network(network()), 150.0)
    assert view.reachable
    assert view.trouble(151.0) is None


def test_a_label_stands_for_the_address() -> None:
    view = NetworkView(SERVER, "embedded network on this machine")
    view.saw(picture_of_network(network()), 0.0)
    assert "embedded network on this machine" in plain(view.headline(0.0, 80))


def test_the_history_of_speeds_is_bounded() -> None:
    view = NetworkView(SERVER)
    for number in range(HISTORY + 5):
        view.saw(picture_of_network(network(speed=number)), float(number))
    assert len(view.speeds) == HISTORY
    assert view.speeds[-1] == HISTORY + 4


def rows(*speeds: tuple[str, float]) -> list[ModelRow]:
    """Return models with these speeds."""
    return [ModelRow(name, 1, tokens_per_second=speed) for name, speed in speeds]


def test_models_are_sorted_by_name_or_number() -> None:
    models = rows(("b", 1.0), ("a", 2.0), ("c", 2.0))
    assert [row.name for row in in_order(models, "name")] == ["a", "b", "c"]
    assert [row.name for row in in_order(models, "speed")] == ["a", "c", "b"]


def test_rows_stay_put_while_their_numbers_change() -> None:
    before = ["a", "c", "gone", "b"]
    models = rows(("a", 1.0), ("b", 9.0), ("c", 5.0), ("new", 7.0))
    steady = in_steady_order(models, "speed", before)
    assert [row.name for row in steady] == ["a", "c", "b", "new"]
    assert [row.name for row in in_steady_order(models, "speed", [])] == ["b", "new", "c", "a"]


def test_a_bar_is_full_only_where_nothing_is_free() -> None:
    assert load_bar(node("a", 0, 4)) == "░░░░"
    assert load_bar(node("a", 1, 60)) == "█░░░"
    assert load_bar(node("a", 59, 60)) == "███░"
    assert load_bar(node("a", 60, 60)) == "████"
    assert load_bar(node("a", 0, 0)) == "░░░░"


def test_details_say_what_is_known_and_nothing_else() -> None:
    llama = [plain(line) for line in model_detail(ModelRow.of(LLAMA))]
    assert "first token  0.6 s, 1 in 20 2.1 s" in llama
    assert "on disk      2.0 GB" in llama
    gemma = [plain(line) for line in model_detail(ModelRow.of(GEMMA))]
    assert not any(line.startswith(("speed", "first token", "memory")) for line in gemma)
    paused = [plain(line) for line in node_detail(NODES[3])]
    assert "state        ‖ paused · on battery" in paused


def test_totals_of_an_empty_network() -> None:
    view = NetworkView(SERVER)
    assert "asking the router" in plain(totals_line(view, 0.0))
    empty = Network.model_validate(network(models=()).model_dump() | {"nodes": ()})
    view.saw(picture_of_network(empty), 0.0)
    assert "models 0" in plain(totals_line(view, 0.0))
