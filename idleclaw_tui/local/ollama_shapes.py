"""What the embedded Ollama answers: the shapes of /api/tags, /api/ps, /api/show and /api/chat.

Recorded from a real Ollama 0.33; its documentation is docs/api.md in its repository.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

NEVER = "2318-03-04T07:21:05Z"
"""The `expires_at` of a model that stays loaded."""

_NANOSECONDS_PER_MILLISECOND = 1_000_000


@dataclass(frozen=True)
class ModelFacts:
    """One model: sizes in bytes, `context_length` as served, `header` from the GGUF file."""

    name: str
    size: int
    loaded_size: int
    digest: str
    modified_ns: int
    parameters: int
    quantization: str
    context_length: int
    header: Mapping[str, str | int | float | bool]

    @property
    def family(self) -> str:
        return str(self.header.get("general.architecture", ""))

    @property
    def capabilities(self) -> list[str]:
        return ["completion"]


def timestamp(now_ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 in UTC with nine digits, as Ollama writes it."""
    seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def human_number(count: int) -> str:
    """134515008 -> "134.52M", as Ollama's `parameter_size`."""
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f}B"
    if count >= 1_000_000:
        return f"{count / 1e6:.2f}M"
    return f"{count / 1e3:.0f}K" if count >= 1_000 else str(count)


def details(model: ModelFacts) -> Json:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": human_number(model.parameters),
        "quantization_level": model.quantization,
    }


def tags(model: ModelFacts) -> Json:
    entry = {
        "name": model.name,
        "model": model.name,
        "modified_at": timestamp(model.modified_ns),
        "size": model.size,
        "digest": model.digest,
        "details": details(model),
        "capabilities": model.capabilities,
    }
    return {"models": [entry]}


def processes(model: ModelFacts) -> Json:
    entry = {
        "name": model.name,
        "model": model.name,
        "size": model.loaded_size,
        "digest": model.digest,
        "details": details(model),
        "expires_at": NEVER,
        "size_vram": 0,
        "context_length": model.context_length,
    }
    return {"models": [entry]}


def shown(model: ModelFacts) -> Json:
    info = {
        key: value
        for key, value in model.header.items()
        if key.startswith(("general.", f"{model.family}."))
    }
    return {
        "license": str(model.header.get("general.license", "")),
        "modelfile": "",
        "parameters": "",
        "template": str(model.header.get("tokenizer.chat_template", "")),
        "details": details(model),
        "model_info": info | {"general.parameter_count": model.parameters},
        "capabilities": model.capabilities,
        "modified_at": timestamp(model.modified_ns),
    }


def chat_line(model: str, now_ns: int, text: str) -> Json:
    return {
        "model": model,
        "created_at": timestamp(now_ns),
        "message": {"role": "assistant", "content": text},
        "done": False,
    }


def done_line(model: str, now_ns: int, text: str, fields: Json) -> Json:
    return chat_line(model, now_ns, text) | {"done": True} | fields


@dataclass
class AnswerReader:
    """Reads the chunks of one llama.cpp chat completion; feed them all, then ask for `fields`."""

    finish_reason: str = ""
    """Empty until the model has come to an end by itself or by a limit."""
    error: str = ""
    _usage: Json = field(default_factory=dict)
    _timings: Json = field(default_factory=dict)

    def feed(self, event: Json) -> str:
        """The new text in one chunk, often empty."""
        if "error" in event:
            self.error = str(event["error"].get("message", "unknown"))
            return ""
        self._usage = event.get("usage") or self._usage
        self._timings = event.get("timings") or self._timings
        text = ""
        for choice in event.get("choices") or []:
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            text += (choice.get("delta") or {}).get("content") or ""
        return text

    def fields(self, load_ns: int, total_ns: int) -> Json:
        """The reason, counts and durations (nanoseconds) of the done line."""
        return {
            "done_reason": self.finish_reason,
            "total_duration": total_ns,
            "load_duration": load_ns,
            "prompt_eval_count": self._usage.get("prompt_tokens", 0),
            "prompt_eval_duration": self._nanoseconds("prompt_ms"),
            "eval_count": self._usage.get("completion_tokens", 0),
            "eval_duration": self._nanoseconds("predicted_ms"),
        }

    def _nanoseconds(self, key: str) -> int:
        return int(self._timings.get(key, 0) * _NANOSECONDS_PER_MILLISECOND)
