"""Reading a frame: from text to a typed value, or a refusal that names how to close."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from idleclaw_protocol.frames import (
    CancelRequest,
    Frame,
    Heartbeat,
    InferenceRequest,
    Register,
    Registered,
)
from idleclaw_protocol.json_cost import has_too_many_values

INVALID_PAYLOAD: Final = 1007
POLICY_VIOLATION: Final = 1008

_ROUTER_FRAMES: Final[Mapping[str, type[Frame]]] = {
    "registered": Registered,
    "inference_request": InferenceRequest,
    "cancel_request": CancelRequest,
}


class FrameError(Exception):
    """A frame that cannot be understood, with how to close the connection that sent it.

    Attributes:
        code: the WebSocket close code (RFC 6455 section 7.4.1), 1007 or 1008.
        reason: the close reason; it never repeats anything the peer sent.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_object(text: str | bytes) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        FrameError: 1007 where it is not JSON (also NaN, lone surrogates, nesting deeper than
            200, numbers of over 4,300 digits), 1008 where it is JSON but no object, or has more
            than `json_cost.MAX_VALUES` values.
    """
    try:
        raw = text.encode() if isinstance(text, str) else text
        if has_too_many_values(raw):
            raise FrameError(POLICY_VIOLATION, "too many values")
        value = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise FrameError(INVALID_PAYLOAD, "not valid JSON") from None
    if not isinstance(value, dict):
        raise FrameError(POLICY_VIOLATION, "not a JSON object")
    return value


def read_register(frame: Mapping[str, Any]) -> Register:
    """Return the registration in a node's first frame.

    Raises:
        FrameError: 1008 with the reason the original gives for the first thing that is wrong.
    """
    if frame.get("type") != "register":
        raise FrameError(POLICY_VIOLATION, "expected register message")
    try:
        return Register.model_validate(frame)
    except ValidationError as error:
        raise FrameError(POLICY_VIOLATION, _refusal(error)) from None


def read_heartbeat(frame: Mapping[str, Any]) -> Heartbeat:
    """Return the heartbeat in a frame.

    Raises:
        FrameError: 1008 where a field has a wrong type.
    """
    try:
        return Heartbeat.model_validate(frame)
    except ValidationError:
        raise FrameError(POLICY_VIOLATION, "invalid heartbeat") from None


def read_router_frame(text: str | bytes) -> Registered | InferenceRequest | CancelRequest | None:
    """Return the frame a router sent, or None where its type is unknown and to be ignored.

    Raises:
        FrameError: it is not JSON, not an object, or a known type with wrong fields.
    """
    frame = read_object(text)
    kind = frame.get("type")
    model = _ROUTER_FRAMES.get(kind) if isinstance(kind, str) else None
    if model is None:
        return None
    try:
        value = model.model_validate(frame)
    except ValidationError:
        raise FrameError(POLICY_VIOLATION, f"invalid {kind}") from None
    assert isinstance(value, Registered | InferenceRequest | CancelRequest)
    return value


def _refusal(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    match first["loc"], first["type"]:
        case (("node_id", *_), _):
            return "invalid node_id"
        case (("models",), "too_long"):
            return "too many models"
        case (("models",), _):
            return "no models provided"
        case (("models", _, "name", *_), _):
            return "invalid model name"
        case (("models", _, "size", *_), _):
            return "invalid model size"
        case (("models", *_), _):
            return "invalid model"
        case ((str(field), *_), _):
            return f"invalid {field}"
    return "invalid register message"
