"""The frames of the node's WebSocket, in both directions.

One JSON object in one text frame, told apart by `type`. Extensions of the original protocol are
optional keys that old peers ignore; a frame of a new type is sent only to a peer that offered the
feature of that name in `Register.features` or `Registered.features`.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from idleclaw_protocol import limits
from idleclaw_protocol.model_names import is_model_name
from idleclaw_protocol.text_safety import clean_line

DECLINE: Final = "decline"
"""The node may send `InferenceDecline`; the router then tries another node."""
CANCEL_ACK: Final = "cancel_ack"
"""The node confirms with `InferenceCancelled` that a cancelled request no longer runs."""

DeclineReason = Literal["busy", "paused", "owner_needs_machine", "too_long", "model_gone"]
NodeErrorCode = Literal["invalid_request", "ollama_unavailable", "ollama_error"]


def _model_name(name: str) -> str:
    if not is_model_name(name):
        raise ValueError("not a name that Ollama allows")
    return name


def _clamped(low: int, high: int) -> AfterValidator:
    return AfterValidator(lambda value: min(max(value, low), high))


def _one_line(limit: int) -> AfterValidator:
    return AfterValidator(lambda text: clean_line(text, limit))


def _version(value: object) -> str | None:
    return clean_line(value, limits.MAX_VERSION_CHARS) if isinstance(value, str) else None


def _short_strings(value: object) -> frozenset[str]:
    if not isinstance(value, list | tuple | set | frozenset):
        return frozenset()
    names = (name for name in list(value)[: limits.MAX_FEATURES] if isinstance(name, str))
    return frozenset(name for name in names if len(name) <= limits.MAX_FEATURE_CHARS)


ModelName = Annotated[str, AfterValidator(_model_name)]
RequestId = Annotated[str, Field(min_length=1, max_length=limits.MAX_REQUEST_ID_CHARS)]
NodeId = Annotated[str, Field(min_length=1, max_length=limits.MAX_NODE_ID_CHARS)]
Detail = Annotated[str, _one_line(limits.MAX_DETAIL_CHARS)]
Features = Annotated[frozenset[str], BeforeValidator(_short_strings)]
Count = Annotated[int, _clamped(0, limits.MAX_COUNT)]
Nanoseconds = Annotated[int, _clamped(0, limits.MAX_NANOSECONDS)]


class Frame(BaseModel):
    """What all frames share: they are values, and unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_json(self) -> str:
        """Return the frame's text: UTF-8 unescaped, without keys that hold None.

        Unescaped, because the original's 100,000 legal characters must stay below its own
        1 MiB limit even where each is an emoji.
        """
        return self.model_dump_json(exclude_none=True)


class OfferedModel(Frame):
    """One model of a node, described by its Ollama (`/api/tags`, `/api/show`).

    Old nodes send only `name` and `size` (bytes on disk); `capabilities` is then None.
    """

    name: ModelName
    size: Annotated[int, _clamped(0, limits.MAX_MODEL_BYTES)]
    digest: Detail | None = None
    family: Detail | None = None
    parameter_size: Detail | None = None
    quantization: Detail | None = None
    context_length: Annotated[int, _clamped(0, limits.MAX_CONTEXT_TOKENS)] | None = None
    capabilities: (
        Annotated[tuple[Detail, ...], Field(max_length=limits.MAX_CAPABILITIES, fail_fast=True)]
        | None
    ) = None


class Register(Frame):
    """A node's first frame, within 10 s of the handshake: who it is and what it offers.

    `secret` is the proof with which the same node may later take its `node_id` over from a
    connection that is still listed.
    """

    type: Literal["register"] = "register"
    node_id: NodeId
    models: Annotated[
        tuple[OfferedModel, ...],
        Field(min_length=1, max_length=limits.MAX_MODELS_PER_NODE, fail_fast=True),
    ]
    max_concurrent: Annotated[int, _clamped(limits.MIN_CONCURRENT, limits.MAX_CONCURRENT)] = (
        limits.DEFAULT_CONCURRENT
    )
    ollama_version: Annotated[str | None, BeforeValidator(_version)] = None
    features: Features = frozenset()
    secret: Annotated[str, Field(max_length=limits.MAX_SECRET_CHARS)] | None = None


class Heartbeat(Frame):
    """Sent every 15 s; it speaks for the connection it came in on, whatever `node_id` it names.

    `available: false` asks for no new requests, with `reason` in the node's words from its closed
    list; `loaded` names the models in memory.
    """

    type: Literal["heartbeat"] = "heartbeat"
    node_id: str | None = None
    active_requests: Count = 0
    available: bool = True
    reason: Detail | None = None
    max_concurrent: (
        Annotated[int, _clamped(limits.MIN_CONCURRENT, limits.MAX_CONCURRENT)] | None
    ) = None
    loaded: (
        Annotated[tuple[str, ...], Field(max_length=limits.MAX_LOADED_MODELS, fail_fast=True)]
        | None
    ) = None


class ToolFunction(Frame):
    """The function that a model wants called, with its arguments as an object."""

    name: str
    arguments: dict[str, Any] = {}


class ToolCall(Frame):
    """One call that a model asks for; `id` exists where Ollama gives one."""

    function: ToolFunction
    id: str | None = None


class ChunkMessage(Frame):
    """The new part of the answer in one chunk."""

    role: str = "assistant"
    content: str = ""
    thinking: str | None = None
    tool_calls: (
        Annotated[tuple[ToolCall, ...], Field(max_length=limits.MAX_TOOL_CALLS, fail_fast=True)]
        | None
    ) = None


class Chunk(Frame):
    """One line of Ollama's stream; the counts and durations (ns) come with the last one."""

    message: ChunkMessage = ChunkMessage()
    done: bool = False
    done_reason: str | None = None
    total_duration: Nanoseconds | None = None
    load_duration: Nanoseconds | None = None
    prompt_eval_count: Count | None = None
    prompt_eval_duration: Nanoseconds | None = None
    eval_count: Count | None = None
    eval_duration: Nanoseconds | None = None


class InferenceChunk(Frame):
    """One piece of the answer to a request."""

    type: Literal["inference_chunk"] = "inference_chunk"
    request_id: RequestId
    chunk: Chunk


class InferenceError(Frame):
    """The end of a request that failed at the node; new nodes send a `NodeErrorCode`."""

    type: Literal["inference_error"] = "inference_error"
    request_id: RequestId
    error: str


class InferenceDecline(Frame):
    """A request that the node will not serve or not finish; held against nobody (`DECLINE`)."""

    type: Literal["inference_decline"] = "inference_decline"
    request_id: RequestId
    reason: DeclineReason


class InferenceCancelled(Frame):
    """The connection to Ollama of a cancelled request is closed (`CANCEL_ACK`)."""

    type: Literal["inference_cancelled"] = "inference_cancelled"
    request_id: RequestId


class Registered(Frame):
    """The router's answer to `Register`; `features` are the extensions it understands.

    `alias` is the name under which the router shows the node to others.
    """

    type: Literal["registered"] = "registered"
    node_id: str
    features: Features = frozenset()
    alias: Detail | None = None


class InferenceRequest(Frame):
    """A request for the node's Ollama: the body of its `POST /api/chat`, not yet to be trusted."""

    type: Literal["inference_request"] = "inference_request"
    request_id: RequestId
    ollama_params: dict[str, Any]


class CancelRequest(Frame):
    """The end of a request, whether it ran to its end or not; unknown ids are to be ignored."""

    type: Literal["cancel_request"] = "cancel_request"
    request_id: RequestId
