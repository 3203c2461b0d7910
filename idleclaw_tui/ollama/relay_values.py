"""The parts of a relayed request that have a shape of their own, each rebuilt from what is known.

Every function takes what the router sent, returns what may go to Ollama, and raises `BadValue`
where the value cannot be understood. What is out of range is moved to the nearest bound.
"""

import base64
import binascii
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

MAX_STOPS: Final = 8
MAX_STOP_CHARS: Final = 64
MAX_TOOLS: Final = 16
MAX_NAME_CHARS: Final = 128
MAX_DESCRIPTION_CHARS: Final = 4096
MAX_JSON_DEPTH: Final = 16
MAX_JSON_VALUES: Final = 1000
MAX_REPETITIONS: Final = 1024
"""The largest count in a schema: the grammar that Ollama makes of one grows with it."""

_REPETITIONS: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
_IMAGE_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


class BadValue(Exception):
    """The value is not of the kind its place asks for."""


class _Range(NamedTuple):
    kind: type[int] | type[float]
    low: float
    high: float


SAMPLING_OPTIONS: Final[Mapping[str, _Range]] = {
    "temperature": _Range(float, 0, 5),
    "top_p": _Range(float, 0, 1),
    "min_p": _Range(float, 0, 1),
    "top_k": _Range(int, 0, 1000),
    "seed": _Range(int, -(2**31), 2**31 - 1),
    "repeat_penalty": _Range(float, 0, 5),
    "repeat_last_n": _Range(int, -1, 4096),
    "presence_penalty": _Range(float, -2, 2),
    "frequency_penalty": _Range(float, -2, 2),
}
"""The options that change which token is chosen; all others reload a model or move it in memory.

Source: Ollama's server/sched.go, `needsReload`.
"""


def options(value: object, answer_tokens: int) -> dict[str, Any]:
    """Return sampling options alone, with a `num_predict` of 1 to `answer_tokens`."""
    given = {} if value is None else value
    if not isinstance(given, dict):
        raise BadValue("options")
    kept: dict[str, Any] = {
        name: _number(given[name], allowed)
        for name, allowed in SAMPLING_OPTIONS.items()
        if given.get(name) is not None
    }
    if given.get("stop") is not None:
        kept["stop"] = _stops(given["stop"])
    wanted = given.get("num_predict")
    tokens = None if wanted is None else int(_number(wanted, _Range(int, 0, answer_tokens)))
    return kept | {"num_predict": tokens or answer_tokens}


def think(value: object) -> bool | str:
    """Return a switch or one of Ollama's levels."""
    if isinstance(value, bool) or value in ("low", "medium", "high", "max"):
        return value
    raise BadValue("think")


def output_format(value: object) -> str | dict[str, Any]:
    """Return "json" or a JSON schema that makes a grammar of bounded size."""
    if value == "json":
        return "json"
    if not isinstance(value, dict):
        raise BadValue("format")
    for key, part in _walk(bounded_object(value)):
        is_property = isinstance(part, dict)
        if key == "pattern" and not is_property:
            raise BadValue("format")
        if key in _REPETITIONS and not is_property and not _is_small(part):
            raise BadValue("format")
    return value


def tools(value: object) -> list[dict[str, Any]]:
    """Return tool definitions in Ollama's function form; at most 16."""
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise BadValue("tools")
    return [_tool(item) for item in value]


def tool_calls(value: object) -> list[dict[str, Any]]:
    """Return the calls an earlier answer asked for, with their ids; at most 16."""
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise BadValue("tool_calls")
    return [_tool_call(item) for item in value]


def image(value: object) -> str:
    """Return an image in base64 that begins as PNG, JPEG, GIF or WebP does, never a path."""
    if not isinstance(value, str):
        raise BadValue("image")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadValue("image") from None
    if data.startswith(_IMAGE_STARTS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return value
    raise BadValue("image")


def text(value: object, limit: int) -> str:
    """Return a string of at most `limit` characters."""
    if not isinstance(value, str) or len(value) > limit:
        raise BadValue("text")
    return value


def bounded_object(value: object) -> dict[str, Any]:
    """Return a JSON object of at most 16 levels and 1,000 values."""
    if not isinstance(value, dict):
        raise BadValue("object")
    for count, _ in enumerate(_walk(value)):
        if count >= MAX_JSON_VALUES:
            raise BadValue("object")
    return value


def _number(value: object, allowed: _Range) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue("number")
    if isinstance(value, float) and not (math.isfinite(value) and _fits(value, allowed)):
        raise BadValue("number")
    return allowed.kind(min(max(value, allowed.low), allowed.high))


def _fits(value: float, allowed: _Range) -> bool:
    return allowed.kind is float or value.is_integer()


def _stops(value: object) -> list[str]:
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > MAX_STOPS:
        raise BadValue("stop")
    return [kept for kept in (text(stop, MAX_STOP_CHARS) for stop in stops) if kept]


def _tool(item: object) -> dict[str, Any]:
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(function, dict):
        raise BadValue("tools")
    rebuilt: dict[str, Any] = {"name": text(function.get("name"), MAX_NAME_CHARS)}
    if function.get("description") is not None:
        rebuilt["description"] = text(function["description"], MAX_DESCRIPTION_CHARS)
    if function.get("parameters") is not None:
        rebuilt["parameters"] = bounded_object(function["parameters"])
    return {"type": "function", "function": rebuilt}


def _tool_call(item: object) -> dict[str, Any]:
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(function, dict):
        raise BadValue("tool_calls")
    rebuilt: dict[str, Any] = {
        "function": {
            "name": text(function.get("name"), MAX_NAME_CHARS),
            "arguments": bounded_object(function.get("arguments", {})),
        }
    }
    if item.get("id") is not None:
        rebuilt["id"] = text(item["id"], MAX_NAME_CHARS)
    return rebuilt


def _is_small(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= MAX_REPETITIONS


def _walk(value: object, depth: int = 1) -> Iterator[tuple[str | None, object]]:
    """Yield every value inside `value` with its key, None for an item of a list."""
    if depth > MAX_JSON_DEPTH:
        raise BadValue("object")
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from _walk(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield None, part
            yield from _walk(part, depth + 1)
