"""The tools that this router runs for models: what they are called and what they take.

A tool's arguments are one pydantic model, from which both the schema that the model reads and the
check of what it sends are made. Who runs a tool is told in `tool_desk.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from idleclaw_protocol.text_safety import clean_line
from idleclaw_server.tool_calls import MAX_NAME_CHARS

ToolMode = Literal["native", "tags"]
"""How a model calls tools: by Ollama's `tool_calls`, or by `<tool_call>` tags in its text."""

_INSTRUCTIONS: Final = (
    "You can use tools, but most questions need none: answer those directly. To call a tool, write "
    "nothing but a call in this form, and wait for its result:\n"
    '<tool_call>{"name": "...", "arguments": {...}}</tool_call>\n'
    "The tools, with the JSON schema of their arguments:"
)


class ToolArguments(BaseModel):
    """The root of all models of arguments: types are not converted, unknown names are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class ToolArgumentError(Exception):
    """Arguments that a tool does not take; the text is meant for the model."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool as a model sees it."""

    name: str
    description: str
    arguments: type[ToolArguments]

    @property
    def definition(self) -> dict[str, Any]:
        """The tool in the form of Ollama's `tools` (docs/api.md, "Chat request (with tools)")."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": _plain_schema(self.arguments.model_json_schema()),
            },
        }

    def check(self, arguments: object) -> ToolArguments:
        """Return what a model sent as the value the tool takes.

        Raises:
            ToolArgumentError: something is missing, unknown or of a wrong type.
        """
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise ToolArgumentError(_first_fault(error)) from None


class ToolSet:
    """The tools that are offered, fixed for as long as the router runs.

    With `described` they are offered to models as well that know no tools of their own.
    """

    __slots__ = ("_by_name", "definitions", "described", "prompt")

    def __init__(self, specs: Iterable[ToolSpec] = (), *, described: bool = True) -> None:
        self.described: Final = described
        self._by_name: Final[Mapping[str, ToolSpec]] = MappingProxyType({s.name: s for s in specs})
        self.definitions: Final = tuple(spec.definition for spec in self._by_name.values())
        self.prompt: Final = _prompt(self._by_name.values())

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def get(self, name: str) -> ToolSpec | None:
        """Return the tool of this name, if it is one that was offered."""
        return self._by_name.get(name)


def _prompt(specs: Iterable[ToolSpec]) -> str:
    lines = [f"- {spec.name}: {spec.description} {_schema_text(spec)}" for spec in specs]
    return "\n".join([_INSTRUCTIONS, *lines])


def _schema_text(spec: ToolSpec) -> str:
    return to_json(_plain_schema(spec.arguments.model_json_schema())).decode()


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without titles: models only read them as more names."""
    properties = {
        name: {key: value for key, value in about.items() if key != "title"}
        for name, about in schema.get("properties", {}).items()
    }
    return {"type": "object", "properties": properties, "required": schema.get("required", [])}


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = clean_line(".".join(map(str, fault["loc"])), MAX_NAME_CHARS)
    match fault["type"]:
        case "missing":
            return f"missing required argument '{name}'"
        case "extra_forbidden":
            return f"unexpected argument '{name}'"
        case "string_type":
            return f"argument '{name}' must be a string"
    return f"argument '{name}': {fault['msg']}" if name else "the arguments must be an object"
