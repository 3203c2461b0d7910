"""Answers look as Ollama's do, and every number comes from the model or from llama.cpp."""

from typing import Any

import ollama
import pytest

from idleclaw_tui.local import ollama_shapes as shapes
from idleclaw_tui.local.ollama_shapes import AnswerReader
from tests.local.facts import FACTS

NOW = 1_795_363_295_035_758_710


def test_the_time_has_nine_digits() -> None:
    assert shapes.timestamp(NOW) == "2026-11-22T16:01:35.035758710Z"


@pytest.mark.parametrize(
    ("count", "text"),
    [(134_515_008, "134.52M"), (8_030_261_312, "8.0B"), (12_000, "12K"), (7, "7")],
)
def test_parameters_are_counted_as_ollama_does(count: int, text: str) -> None:
    assert shapes.human_number(count) == text


def test_the_lists_are_what_the_official_client_reads() -> None:
    listed = ollama.ListResponse.model_validate(shapes.tags(FACTS)).models[0]
    assert (listed.model, listed.size, listed.digest) == (FACTS.name, FACTS.size, FACTS.digest)
    assert listed.details is not None
    assert (listed.details.family, listed.details.quantization_level) == ("llama", "Q4_1")
    running = ollama.ProcessResponse.model_validate(shapes.processes(FACTS)).models[0]
    assert (running.context_length, running.size) == (4096, FACTS.loaded_size)


def test_show_tells_what_the_file_says_but_not_its_vocabulary() -> None:
    shown = shapes.shown(FACTS)
    assert shown["capabilities"] == ["completion"]
    assert shown["license"] == "apache-2.0"
    assert shown["model_info"] == {
        "general.architecture": "llama",
        "general.license": "apache-2.0",
        "general.parameter_count": 134_515_008,
        "llama.context_length": 8192,
    }


def test_lines_have_ollamas_keys_in_ollamas_order() -> None:
    assert list(shapes.chat_line("m", NOW, "Hi")) == ["model", "created_at", "message", "done"]
    done = shapes.done_line("m", NOW, "", {"done_reason": "load"})
    assert (done["done"], done["done_reason"]) == (True, "load")


def test_an_answer_is_read_to_its_end() -> None:
    reader = AnswerReader()
    events: list[dict[str, Any]] = [
        {"choices": [{"delta": {"role": "assistant", "content": None}}], "prompt_progress": {}},
        {"choices": [{"delta": {"content": "Hel"}, "finish_reason": None}]},
        {"choices": [{"delta": {"content": "lo"}}]},
        {"choices": [{"delta": {}, "finish_reason": "length"}]},
        {
            "choices": [],
            "usage": {"prompt_tokens": 32, "completion_tokens": 2},
            "timings": {"prompt_ms": 58.91, "predicted_ms": 22.652},
        },
    ]
    assert [reader.feed(event) for event in events] == ["", "Hel", "lo", "", ""]
    assert reader.fields(load_ns=5, total_ns=9) == {
        "done_reason": "length",
        "total_duration": 9,
        "load_duration": 5,
        "prompt_eval_count": 32,
        "prompt_eval_duration": 58_910_000,
        "eval_count": 2,
        "eval_duration": 22_652_000,
    }


def test_an_error_in_mid_stream_is_kept() -> None:
    reader = AnswerReader()
    assert reader.feed({"error": {"code": 500, "message": "out of memory"}}) == ""
    assert (reader.error, reader.finish_reason) == ("out of memory", "")
