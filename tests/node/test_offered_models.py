"""Which models a node offers, told from what Ollama says of them."""

from typing import Any

import pytest

from idleclaw_tui.ollama.offered_models import (
    ListedModel,
    candidates,
    offered_model,
    read_listed,
    read_loaded,
    read_shown,
)

SHOWN = {
    "license": "private",
    "system": "private",
    "capabilities": ["completion", "tools"],
    "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
}


def listed(name: str, size: int = 1, **more: Any) -> ListedModel:
    return ListedModel(name=name, size=size, **more)


def names(models: list[ListedModel]) -> list[str]:
    return [model.name for model in models]


def test_a_model_is_described_by_ollama_alone() -> None:
    entry = {
        "name": "llama3.2:3b",
        "size": 2_000,
        "digest": "abc",
        "details": {"family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
    }
    shown = read_shown(SHOWN)
    assert shown is not None
    model = offered_model(read_listed([entry])[0], shown)
    assert model is not None
    assert model.model_dump() == {
        "name": "llama3.2:3b",
        "size": 2_000,
        "digest": "abc",
        "family": "llama",
        "parameter_size": "3.2B",
        "quantization": "Q4_K_M",
        "context_length": 131072,
        "capabilities": ("completion", "tools"),
    }


def test_the_context_a_model_runs_with_counts_for_more() -> None:
    shown = read_shown(SHOWN)
    assert shown is not None
    model = offered_model(listed("a"), shown, running_context=4096)
    assert model is not None
    assert model.context_length == 4096


def test_the_largest_come_first_and_equals_by_name() -> None:
    models = [listed("b", 5), listed("c", 9), listed("a", 5)]
    assert names(candidates(models, None)) == ["c", "a", "b"]


@pytest.mark.parametrize(
    "unfit",
    [
        listed("gpt-oss:120b-cloud"),
        listed("qwen3:cloud"),
        listed("a", remote_host="https://ollama.com"),
        listed("a", remote_model="b"),
        listed("x" * 65),
        listed("a b"),
        listed("a\x1b[2J"),
    ],
)
def test_cloud_models_and_names_that_do_not_fit_are_left_out(unfit: ListedModel) -> None:
    assert candidates([unfit], None) == []


def test_the_owner_chooses_by_name_with_or_without_tag() -> None:
    models = [listed("a:latest"), listed("b:1b"), listed("c:1b")]
    assert names(candidates(models, {"a", "b:1b", "gone"})) == ["a:latest", "b:1b"]


@pytest.mark.parametrize(
    ("entry", "shown", "offered"),
    [
        ({}, {"capabilities": ["embedding"]}, False),
        ({"capabilities": ["embedding"]}, {}, False),
        ({"details": {"family": "nomic-bert"}}, {}, False),
        ({}, {"capabilities": ["completion"], "remote_host": "https://x"}, False),
        ({"details": {"family": "llama"}}, {}, True),
        ({"capabilities": ["completion"]}, {}, True),
    ],
)
def test_what_cannot_chat_here_is_not_offered(
    entry: dict[str, Any], shown: dict[str, Any], offered: bool
) -> None:
    described = read_shown(shown)
    assert described is not None
    model = offered_model(read_listed([{"name": "a"} | entry])[0], described)
    assert (model is not None) is offered


def test_entries_that_cannot_be_read_lose_only_themselves() -> None:
    assert names(read_listed([5, {"name": 5}, {"name": "a", "details": None}, {"name": "b"}])) == [
        "b"
    ]
    assert read_listed("nonsense") == []
    assert [model.name for model in read_loaded([{"name": "a"}, {}, None])] == ["a"]
    assert read_shown({"capabilities": 5}) is None


@pytest.mark.parametrize(
    "info",
    [
        None,
        [],
        {"general.architecture": "x"},
        {"general.architecture": "x", "x.context_length": "y"},
    ],
)
def test_a_context_that_is_not_told_is_unknown(info: object) -> None:
    shown = read_shown({"model_info": info})
    assert shown is not None
    assert shown.context_length is None
