"""The calls in a model's answer: from Ollama's `tool_calls`, or from the text between tags.

Models are careless about tags: some never close them, some write the arguments as a string of
JSON, some write "parameters", some put a list of calls between one pair.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from pydantic_core import from_json, to_json

from idleclaw_protocol.frames import ToolCall, ToolFunction
from idleclaw_protocol.limits import MAX_TOOL_CALLS
from idleclaw_protocol.text_safety import clean, clean_line

MAX_NAME_CHARS: Final = 64
_MAX_ARGUMENT_BYTES: Final = 8_192
_MAX_DEPTH: Final = 8
_ARGUMENT_KEYS: Final = ("arguments", "parameters")


def cleaned_call(call: ToolCall) -> ToolCall:
    """Return a call with a clean name and id, and with clean arguments of bounded size.

    Arguments of more than 8 KiB or 8 levels are left out.
    """
    return _call(call.function.name, call.function.arguments, call.id)


def tagged_calls(texts: Iterable[str]) -> list[ToolCall]:
    """Return the calls in what stood between tags; what cannot be understood is left out.

    At most 16 are returned.
    """
    found: list[ToolCall] = []
    for text in texts:
        for item in _objects(_unfenced(text)):
            call = _tagged_call(item)
            if call is not None:
                found.append(call)
            if len(found) == MAX_TOOL_CALLS:
                return found
    return found


def _tagged_call(item: object) -> ToolCall | None:
    if isinstance(item, dict) and isinstance(item.get("function"), dict):
        item = item["function"]
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return None
    arguments: object = next((item[key] for key in _ARGUMENT_KEYS if key in item), {})
    if isinstance(arguments, str):
        arguments = _parsed(arguments)
    return _call(item["name"], arguments, None)


def _objects(text: str) -> list[object]:
    """Return the JSON values at the beginning of `text`; a list stands for its items."""
    decoder = json.JSONDecoder()
    values: list[object] = []
    at = 0
    while at < len(text) and len(values) < MAX_TOOL_CALLS:
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        values += value[:MAX_TOOL_CALLS] if isinstance(value, list) else [value]
        while at < len(text) and text[at] in " \t\r\n,;":
            at += 1
    return values


def _unfenced(text: str) -> str:
    return text.strip().removeprefix("```json").removeprefix("```").strip()


def _parsed(text: str) -> object:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return {}


def _call(name: str, arguments: object, call_id: str | None) -> ToolCall:
    function = ToolFunction(name=clean_line(name, MAX_NAME_CHARS), arguments=_bounded(arguments))
    return ToolCall(
        function=function, id=None if call_id is None else clean_line(call_id, MAX_NAME_CHARS)
    )


def _bounded(arguments: object) -> dict[str, Any]:
    """Return the arguments with clean strings, or none where they are too large or too deep."""
    try:
        cleaned = _cleaned(arguments, _MAX_DEPTH)
        small = len(to_json(cleaned)) <= _MAX_ARGUMENT_BYTES
    except ValueError:
        return {}
    return cleaned if small and isinstance(cleaned, dict) else {}


def _cleaned(value: object, depth: int) -> object:
    if depth == 0:
        raise ValueError("too deep")
    if isinstance(value, str):
        return clean(value[:_MAX_ARGUMENT_BYTES])
    if isinstance(value, dict):
        return {
            clean_line(str(key), MAX_NAME_CHARS): _cleaned(part, depth - 1)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(part, depth - 1) for part in value]
    return value
