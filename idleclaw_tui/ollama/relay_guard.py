"""What of a relayed request may reach the local Ollama, whatever the router sent.

The body for Ollama is built anew from known parts; nothing is passed on because it was not
forbidden. `keep_alive` never goes through (it would change how long the owner's models stay in
memory), nor do options that reload a model. See Ollama's api/types.go, `ChatRequest`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import to_json

from idleclaw_protocol.frames import DeclineReason, NodeErrorCode, OfferedModel
from idleclaw_protocol.limits import MAX_MESSAGE_CHARS, MAX_MESSAGES
from idleclaw_protocol.model_names import is_cloud_name, is_model_name
from idleclaw_tui.ollama import relay_values
from idleclaw_tui.ollama.relay_values import BadValue

CHARS_A_TOKEN: Final = 4
_ROLES: Final = frozenset({"user", "assistant", "system", "tool"})


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """What the owner allows one request to ask for."""

    messages: int = MAX_MESSAGES
    message_chars: int = MAX_MESSAGE_CHARS
    images: int = 8
    """In all messages together."""
    answer_tokens: int = 4096
    """Upper bound of `num_predict`, thinking included."""
    context_tokens: int | None = None
    """The largest conversation; one that must be longer, at four characters a token, is declined.

    No request can make Ollama's own context larger: that would reload the model."""


@dataclass(frozen=True, slots=True)
class GuardedRequest:
    """A request that may be sent: `body` is the JSON for POST /api/chat, always a stream."""

    model: str
    body: bytes = field(repr=False)


class RelayRefused(Exception):
    """The request must not reach Ollama.

    Attributes:
        code: what the router is told.
        message: what the owner is told; it repeats nothing of the request.
        decline: set where the request is a good one that another node may serve.
    """

    def __init__(
        self, code: NodeErrorCode, message: str, decline: DeclineReason | None = None
    ) -> None:
        super().__init__(message)
        self.code: NodeErrorCode = code
        self.message = message
        self.decline: DeclineReason | None = decline


def guard_request(
    params: Mapping[str, Any],
    offered: Mapping[str, OfferedModel],
    limits: GuardLimits = GuardLimits(),
) -> GuardedRequest:
    """Return the request that `params` (the router's `ollama_params`) may become.

    `offered` are the models this node registered, by name. `think` and `tools` are left out for a
    model that is known not to have them: Ollama would answer 400, and an old router asks for them
    by the look of a name.

    Raises:
        RelayRefused: the model was not registered, there are no messages, too many or too long
            ones, or a part cannot be understood.
    """
    model = _offered_model(params.get("model"), offered)
    try:
        body = _body(params, model, limits)
    except BadValue as error:
        raise _refused(f"its {error} could not be understood") from None
    return GuardedRequest(model.name, to_json(body))


def _refused(why: str) -> RelayRefused:
    return RelayRefused("invalid_request", f"The router sent a request that was refused: {why}.")


def _offered_model(name: object, offered: Mapping[str, OfferedModel]) -> OfferedModel:
    model = offered.get(name) if isinstance(name, str) else None
    if model is None or not is_model_name(model.name) or is_cloud_name(model.name):
        raise _refused("this node does not offer its model")
    return model


def _body(params: Mapping[str, Any], model: OfferedModel, limits: GuardLimits) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model.name,
        "messages": _messages(params.get("messages"), model, limits),
        "stream": True,
        "options": relay_values.options(params.get("options"), limits.answer_tokens),
    }
    if params.get("think") is not None:
        think = relay_values.think(params["think"])
        if think is False or _can(model, "thinking"):
            body["think"] = think
    if params.get("tools"):
        tools = relay_values.tools(params["tools"])
        if _can(model, "tools"):
            body["tools"] = tools
    if params.get("format"):
        body["format"] = relay_values.output_format(params["format"])
    return body


def _can(model: OfferedModel, capability: str) -> bool:
    return model.capabilities is None or capability in model.capabilities


def _messages(value: object, model: OfferedModel, limits: GuardLimits) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise _refused("it has no messages")
    if len(value) > limits.messages:
        raise _refused(f"it has more than {limits.messages} messages")
    messages = [_message(item, limits) for item in value]
    images = sum(len(message.get("images", ())) for message in messages)
    if images > limits.images:
        raise _refused(f"it has more than {limits.images} images")
    _check_length(messages, limits)
    if images and not _can(model, "vision"):
        raise _refused("its model does not read images")
    return messages


def _check_length(messages: list[dict[str, Any]], limits: GuardLimits) -> None:
    if limits.context_tokens is None:
        return
    characters = sum(len(message["content"]) for message in messages)
    if characters > limits.context_tokens * CHARS_A_TOKEN:
        raise RelayRefused(
            "invalid_request", "The conversation is longer than you allow.", "too_long"
        )


def _message(item: object, limits: GuardLimits) -> dict[str, Any]:
    role = item.get("role") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(role, str) or role not in _ROLES:
        raise BadValue("messages")
    message: dict[str, Any] = {"role": role, "content": _words(item, "content", limits)}
    if item.get("thinking"):
        message["thinking"] = _words(item, "thinking", limits)
    if item.get("tool_calls"):
        message["tool_calls"] = relay_values.tool_calls(item["tool_calls"])
    for key in ("tool_name", "tool_call_id"):
        if item.get(key):
            message[key] = relay_values.text(item[key], relay_values.MAX_NAME_CHARS)
    if item.get("images"):
        if not isinstance(item["images"], list):
            raise BadValue("images")
        message["images"] = [relay_values.image(image) for image in item["images"]]
    return message


def _words(item: Mapping[str, Any], key: str, limits: GuardLimits) -> str:
    value = item.get(key)
    if isinstance(value, str) and len(value) > limits.message_chars:
        raise _refused(f"a message is longer than {limits.message_chars:,} characters")
    return "" if value is None else relay_values.text(value, limits.message_chars)
