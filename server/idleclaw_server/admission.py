"""Whether a request may start, and whether it may wait."""

from typing import Final

from pydantic_core import to_json

from idleclaw_protocol.limits import MAX_FRAME_BYTES, MAX_MODEL_NAME_CHARS
from idleclaw_protocol.text_safety import clean_line
from idleclaw_server.errors import NoSuchModel, QueueFull, RequestTooLarge, ShuttingDown
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.node_registry import ModelEntry, NodeRegistry
from idleclaw_server.policy import Policy

_RETRY_AFTER_SECONDS: Final = 5
_FRAME_OVERHEAD_BYTES: Final = 512


def admit(request: InferenceRequest, registry: NodeRegistry, *, draining: bool) -> ModelEntry:
    """Return the model that is asked for.

    Raises:
        ShuttingDown: the router is draining.
        RequestTooLarge: its frame would not pass a node's 1 MiB limit.
        NoSuchModel: nobody may be asked for the model; the nearest names are on the error.
    """
    if draining:
        raise ShuttingDown("The router is restarting.", retry_after=_RETRY_AFTER_SECONDS)
    entry = registry.models.get(request.model)
    if entry is None or not entry.usable:
        name = clean_line(request.model, MAX_MODEL_NAME_CHARS)
        raise NoSuchModel(
            f"No nodes available with model {name}", models=registry.nearest_names(request.model)
        )
    size = len(to_json(request.ollama_params(thinks=True))) + _FRAME_OVERHEAD_BYTES
    if size > MAX_FRAME_BYTES:
        raise RequestTooLarge("The conversation is too large. Start a new one.")
    return entry


def check_room(entry: ModelEntry, waiting: int, policy: Policy) -> None:
    """Raise QueueFull where one more may not wait; `waiting` counts those for any model."""
    if len(entry.queue) >= policy.max_waiting_per_model or waiting >= policy.max_waiting:
        raise QueueFull(
            "Every node with this model is busy and the queue is full.",
            retry_after=_RETRY_AFTER_SECONDS,
        )
