"""Which model answers next."""

from idleclaw_tui.network.model_selection import ModelSelection, offer
from idleclaw_tui.network.view import Picture, picture_of_network
from tests.screen.fakes import GEMMA, LLAMA, QWEN, network
from tests.screen.test_network_view import plain


def online(*models: object) -> Picture:
    """Return a picture of a network with these models."""
    return picture_of_network(network([m for m in (LLAMA, QWEN, GEMMA) if m in models]))


def test_the_suggested_model_is_kept_until_it_goes_offline() -> None:
    selection = ModelSelection()
    selection.update(online(QWEN, GEMMA))
    assert selection.current == "gemma3:1b"
    selection.update(online(LLAMA, QWEN, GEMMA))
    assert selection.current == "gemma3:1b", "a better one does not change it under the hands"
    selection.update(online(LLAMA, QWEN))
    assert selection.current == "llama3.2:3b"


def test_a_chosen_model_is_kept_even_when_it_goes_offline() -> None:
    selection = ModelSelection()
    selection.choose("llama3.1:8b")
    selection.update(online(LLAMA, QWEN))
    assert selection.current == "llama3.1:8b"
    line = plain(selection.line(online(LLAMA, QWEN)))
    assert line == "llama3.1:8b · not online now · near it: llama3.2:3b"


def test_the_line_names_model_kind_and_who_has_it() -> None:
    selection = ModelSelection()
    assert plain(selection.line(None)) == "looking for models"
    assert plain(selection.line(online())) == "no model is online now"
    selection.update(online(LLAMA))
    assert plain(selection.line(online(LLAMA))) == (
        "llama3.2:3b · 3.2B Q4_K_M · 8k context · 5 nodes, 7 slots free"
    )


def test_only_a_model_that_can_think_is_asked_to() -> None:
    selection = ModelSelection()
    selection.choose("qwen3:8b")
    selection.toggle_thinking()
    assert selection.thinks(online(QWEN))
    assert plain(selection.line(online(QWEN))).endswith("thinking on")
    selection.choose("llama3.2:3b")
    assert not selection.thinks(online(LLAMA))


def test_what_the_network_offers_somebody_new() -> None:
    assert plain(offer(online(LLAMA), None)) == (
        "5 nodes share 1 model right now. Quickest: llama3.2:3b, first token in about 0.6 s."
    )
    assert "F4" in plain(offer(online(), None))
    assert plain(offer(None, "No router answers.")) == "✕ No router answers."
