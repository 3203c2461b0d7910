"""What the embedded Ollama is asked: POST /api/chat, checked, in llama.cpp's terms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idleclaw_tui.local.ollama_shapes import ModelFacts

Json = dict[str, Any]

DEFAULT_TOKENS = 512
MAX_SCHEMA_CHARACTERS = 16_384

_ROLES = ("system", "user", "assistant", "tool")
_UINT32 = 2**32
_PROMPT_SHARE = 0.75
# This model rambles at Ollama's own defaults; these keep it to real sentences.
_SAMPLING: Json = {"temperature": 0.1, "top_p": 0.9, "repeat_penalty": 1.1}


class ApiError(Exception):
    """A request that is refused, with its HTTP status and Ollama's text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class ChatRequest:
    """A checked request: `sampling` and `response_format` are already llama.cpp's."""

    messages: list[Json]
    stream: bool
    sampling: Json
    response_format: Json | None


def is_loopback_host(header: str) -> bool:
    """Whether a Host header names this machine, against DNS rebinding."""
    try:
        host = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def require_model(body: Json, model: ModelFacts, *, with_tag: bool = False) -> None:
    """Raises ApiError unless the body asks for this model; `with_tag` as /api/show words it."""
    name = body.get("model") or body.get("name")
    if not name:
        raise ApiError(400, "model is required")
    if not isinstance(name, str):
        raise ApiError(400, "model must be a string")
    if name != model.name:
        full = f"{name}:latest" if with_tag and ":" not in name else name
        raise ApiError(404, f"model '{full}' not found")


def parse_chat(body: Json, model: ModelFacts) -> ChatRequest:
    """Raises ApiError with the status and text that Ollama has for the same mistake."""
    require_model(body, model)
    if body.get("tools"):
        raise ApiError(400, f"{model.name} does not support tools")
    if body.get("think"):
        raise ApiError(400, f'"{model.name}" does not support thinking')
    stream = body.get("stream")
    if not isinstance(stream, bool | None):
        raise ApiError(400, "stream must be a boolean")
    messages = body.get("messages") or []
    if not isinstance(messages, list):
        raise ApiError(400, "messages must be an array")
    return ChatRequest(
        messages=[_message(message, number, model) for number, message in enumerate(messages)],
        stream=stream is not False,
        sampling=_sampling(body.get("options") or {}, model.context_length),
        response_format=_response_format(body.get("format")),
    )


def engine_request(chat: ChatRequest, messages: Sequence[Json]) -> Json:
    """llama.cpp's body for the chat; progress keeps a long prompt interruptible and not silent."""
    request = {
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
    }
    if chat.response_format:
        request["response_format"] = chat.response_format
    return request | chat.sampling


def without_oldest(
    messages: Sequence[Json], prompt_tokens: int, context_length: int
) -> list[Json] | None:
    """The messages cut to about three quarters of the context, the rest being for the answer.

    The oldest go first, at least one with every call; system messages and the last one stay. None
    when none is left to go.
    """
    total = sum(len(message["content"]) for message in messages)
    excess = total * (1 - _PROMPT_SHARE * context_length / max(prompt_tokens, context_length))
    kept, dropped = [], 0
    for number, message in enumerate(messages):
        may_go = message["role"] != "system" and number < len(messages) - 1
        if may_go and dropped <= excess:
            dropped += len(message["content"]) + 1
        else:
            kept.append(message)
    return kept if dropped else None


def _message(message: Any, number: int, model: ModelFacts) -> Json:
    if not isinstance(message, dict):
        raise ApiError(400, f"messages[{number}] must be an object")
    role, content = message.get("role"), message.get("content", "")
    if role not in _ROLES:
        raise ApiError(400, f"messages[{number}].role must be one of {', '.join(_ROLES)}")
    if not isinstance(content, str):
        raise ApiError(400, f"messages[{number}].content must be a string")
    if message.get("images"):
        raise ApiError(400, f"{model.name} does not support vision")
    return {"role": role, "content": content}


def _integer(low: int, high: int) -> Callable[[str, Any], int]:
    def convert(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ApiError(500, f'option "{name}" must be of type integer')
        return int(max(low, min(value, high)))

    return convert


def _float(low: float, high: float) -> Callable[[str, Any], float]:
    def convert(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ApiError(500, f'option "{name}" must be of type float32')
        return float(max(low, min(value, high)))

    return convert


def _seed(name: str, value: Any) -> int:
    return _integer(-_UINT32, _UINT32)(name, value) % _UINT32


def _strings(name: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ApiError(500, f'option "{name}" must be of type array')
    if not all(isinstance(item, str) for item in value):
        raise ApiError(500, f'option "{name}" must be of an array of strings')
    return value


_OPTIONS: dict[str, Callable[[str, Any], Any]] = {
    "temperature": _float(0.0, 2.0),
    "top_p": _float(0.0, 1.0),
    "min_p": _float(0.0, 1.0),
    "top_k": _integer(0, 1_000_000),
    "seed": _seed,
    "stop": _strings,
    "num_predict": _integer(-2, 1_000_000),
    "repeat_penalty": _float(0.1, 10.0),
    "repeat_last_n": _integer(-1, 1_000_000),
    "presence_penalty": _float(-2.0, 2.0),
    "frequency_penalty": _float(-2.0, 2.0),
}
"""Option -> its check and conversion; numbers beyond the range are moved to its edge."""


def _sampling(options: Any, context_length: int) -> Json:
    """The known options in llama.cpp's names over the defaults; unknown ones are ignored."""
    if not isinstance(options, dict):
        raise ApiError(400, "options must be an object")
    given = {
        name: _OPTIONS[name](name, value)
        for name, value in options.items()
        if name in _OPTIONS and value is not None
    }
    tokens = given.pop("num_predict", DEFAULT_TOKENS)
    limit = min(tokens, context_length) if tokens > 0 else context_length
    return _SAMPLING | given | {"max_tokens": limit}


def _response_format(wanted: Any) -> Json | None:
    if not wanted:
        return None
    if wanted == "json":
        return {"type": "json_object"}
    if not isinstance(wanted, dict):
        raise ApiError(400, 'format must be "json" or a JSON schema object')
    if len(str(wanted)) > MAX_SCHEMA_CHARACTERS:
        raise ApiError(400, f"the format's schema is over {MAX_SCHEMA_CHARACTERS} characters")
    return {"type": "json_schema", "json_schema": {"schema": wanted}}
