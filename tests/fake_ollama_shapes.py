"""What Ollama's answers look like, line by line (docs/api.md and recordings of a real server)."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class FakeModel:
    """What /api/tags, /api/ps and /api/show tell about one model; sizes in bytes."""

    name: str = "smollm2:135m"
    size: int = 91_739_413
    digest: str = "72581a33fe880a4b994dceca385870d898fb33713df7187f2722c025023afe3f"
    family: str = "llama"
    parameter_size: str = "134.52M"
    quantization: str = "Q4_1"
    context_length: int = 4096
    capabilities: tuple[str, ...] = ("completion",)
    remote_host: str = ""


def line(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _created_at() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def chunk(name: str, message: Json) -> Json:
    return {"model": name, "created_at": _created_at(), "message": message, "done": False}


def done(name: str, text: str, reason: str, usage: Json) -> Json:
    last = chunk(name, {"role": "assistant", "content": text})
    return last | {"done": True, "done_reason": reason} | usage


def usage(prompt_tokens: int, tokens: int) -> Json:
    return {
        "total_duration": 87_602_175,
        "load_duration": 1_059_711,
        "prompt_eval_count": prompt_tokens,
        "prompt_eval_duration": 58_910_000,
        "eval_count": tokens,
        "eval_duration": 22_652_000,
    }


def with_tag(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _details(model: FakeModel) -> Json:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantization,
    }


def _remote(model: FakeModel) -> Json:
    if not model.remote_host:
        return {}
    return {"remote_model": model.name.partition(":")[0], "remote_host": model.remote_host}


def tag(model: FakeModel) -> Json:
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": "2026-11-22T16:00:53.000000000Z",
        "size": model.size,
        "digest": model.digest,
        "details": _details(model),
        "capabilities": list(model.capabilities),
    } | _remote(model)


def process(model: FakeModel) -> Json:
    return {
        "name": model.name,
        "model": model.name,
        "size": model.size,
        "digest": model.digest,
        "details": _details(model),
        "expires_at": "2026-11-22T16:06:36.073704896Z",
        "size_vram": 0,
        "context_length": model.context_length,
    }


def shown(model: FakeModel) -> Json:
    return {
        "license": "Apache License",
        "modelfile": f"FROM {model.name}",
        "parameters": 'stop "<|im_end|>"',
        "template": "{{ .Prompt }}",
        "system": "This text is private.",
        "details": _details(model),
        "model_info": {
            "general.architecture": model.family,
            f"{model.family}.context_length": model.context_length,
        },
        "capabilities": list(model.capabilities),
        "modified_at": "2026-11-22T16:00:53.000000000Z",
    } | _remote(model)
