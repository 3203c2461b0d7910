"""Which of Ollama's models a node offers, and how it describes them.

Source: Ollama's api/types.go, `ListModelResponse` and `ShowResponse`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from idleclaw_protocol.frames import OfferedModel
from idleclaw_protocol.limits import MAX_CAPABILITIES
from idleclaw_protocol.model_names import is_cloud_name, is_model_name

_EMBEDDING_FAMILIES: Final = ("bert", "nomic-bert", "nomic-bert-moe")


_Entry = TypeVar("_Entry", bound=BaseModel)


class _Details(BaseModel):
    family: str | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None


class ListedModel(BaseModel):
    """One entry of /api/tags; `capabilities` came with Ollama 0.30, older ones leave it None."""

    name: str
    size: int = 0
    digest: str | None = None
    details: _Details = _Details()
    capabilities: tuple[str, ...] | None = None
    remote_model: str | None = None
    remote_host: str | None = None


class LoadedModel(BaseModel):
    """One entry of /api/ps: a model in memory; sizes in bytes, the context in tokens.

    `expires_at` (RFC 3339) is when Ollama would drop it, unless it is used again.
    """

    name: str
    size: int = 0
    size_vram: int = 0
    context_length: int | None = None
    expires_at: str | None = None


class ShownModel(BaseModel):
    """The part of /api/show that may leave the machine; prompts, templates and licences may not.

    `context_length` is the context in tokens that the model was made for.
    """

    capabilities: tuple[str, ...] | None = None
    context_length: int | None = None
    remote_model: str | None = None
    remote_host: str | None = None


def read_listed(entries: object) -> list[ListedModel]:
    """Return the entries of /api/tags that can be understood."""
    return list(_readable(entries, ListedModel))


def read_loaded(entries: object) -> list[LoadedModel]:
    """Return the entries of /api/ps that can be understood."""
    return list(_readable(entries, LoadedModel))


def read_shown(answer: Mapping[str, Any]) -> ShownModel | None:
    """Return what /api/show tells of a model, None where it cannot be understood."""
    info = answer.get("model_info")
    about = info if isinstance(info, dict) else {}
    length = about.get(f"{about.get('general.architecture')}.context_length")
    context_length = length if isinstance(length, int) else None
    shown = _readable([{**answer, "context_length": context_length}], ShownModel)
    return next(shown, None)


def candidates(listed: Iterable[ListedModel], chosen: Collection[str] | None) -> list[ListedModel]:
    """Return the models worth asking /api/show about, largest first.

    Left out: cloud models (Ollama would send the prompt to ollama.com), names that do not fit the
    wire, and, where the owner has `chosen`, all others. A chosen name without a tag means
    `:latest`.
    """
    wanted = None if chosen is None else {with_tag(name) for name in chosen}
    kept = [
        model
        for model in listed
        if is_model_name(model.name)
        and not is_cloud_name(model.name)
        and not (model.remote_host or model.remote_model)
        and (wanted is None or with_tag(model.name) in wanted)
    ]
    return sorted(kept, key=lambda model: (-model.size, model.name))


def offered_model(
    listed: ListedModel, shown: ShownModel, running_context: int | None = None
) -> OfferedModel | None:
    """Return how the node describes a model, or None where it cannot chat.

    `running_context` is the context in tokens that Ollama gave the model when it last ran; it
    counts for more than what the model was made for.
    """
    capabilities = shown.capabilities or listed.capabilities
    if shown.remote_host or shown.remote_model:
        return None
    if capabilities is None and listed.details.family in _EMBEDDING_FAMILIES:
        return None
    if capabilities is not None and "completion" not in capabilities:
        return None
    return OfferedModel(
        name=listed.name,
        size=listed.size,
        digest=listed.digest,
        family=listed.details.family,
        parameter_size=listed.details.parameter_size,
        quantization=listed.details.quantization_level,
        context_length=running_context or shown.context_length,
        capabilities=None if capabilities is None else capabilities[:MAX_CAPABILITIES],
    )


def with_context(models: Iterable[OfferedModel], most: int | None) -> tuple[OfferedModel, ...]:
    """Return the models with contexts of at most `most` tokens, None for as they are."""
    return tuple(
        model
        if most is None
        else model.model_copy(update={"context_length": min(model.context_length or most, most)})
        for model in models
    )


def with_tag(name: str) -> str:
    """Return the full name: one without a tag means `:latest`."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _readable(entries: object, kind: type[_Entry]) -> Iterator[_Entry]:
    for entry in entries if isinstance(entries, list) else ():
        with suppress(ValidationError):
            yield kind.model_validate(entry)
