"""Which names Ollama would accept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.model_names import is_cloud_name, is_model_name


@pytest.mark.parametrize(
    "name",
    [
        "llama3.2:3b",
        "qwen3",
        "hf.co/user/model:Q4_K_M",
        "registry.example.com:5000/name_space/model-x:latest",
        "user/model",
        "deepseek-r1:1.5b-qwen-distill-q4_K_M",
        "a",
        "x" * 64,
        "_underscore",
        "Model:TAG",
    ],
)
def test_names_that_exist_in_the_wild(name: str) -> None:
    assert is_model_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a\n",
        "a\x1b[31m",
        ":tag",
        "model:",
        "/model",
        "a//b",
        "a/b/c/d",
        "-dash",
        ".dot",
        "é",
        "日本",
        "a:b:c",
        "x" * 65,
        "../../etc/passwd",
        "model;rm",
        "\u202ea",
        "a\u0660",
    ],
)
def test_names_that_cannot_be(name: str) -> None:
    assert not is_model_name(name)


@given(st.text(max_size=70))
def test_whatever_is_accepted_is_plain_ascii_and_short(name: str) -> None:
    """A26: a name that got in can stand in a label, a log line and a terminal."""
    if is_model_name(name):
        assert name.isascii()
        assert name.isprintable()
        assert " " not in name
        assert 1 <= len(name) <= 64


@given(st.from_regex(r"[a-z][a-z0-9.-]{0,20}(:[a-z0-9][a-z0-9._-]{0,20})?", fullmatch=True))
def test_ordinary_names_are_accepted(name: str) -> None:
    assert is_model_name(name)


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("gpt-oss:120b-cloud", True),
        ("model:cloud", True),
        ("model:CLOUD", True),
        ("user/x-cloud", True),
        ("cloud", False),
        ("cloud-model:7b", False),
        ("user-cloud/model:7b", False),
    ],
)
def test_names_that_would_run_elsewhere(name: str, cloud: bool) -> None:
    assert is_cloud_name(name) is cloud
