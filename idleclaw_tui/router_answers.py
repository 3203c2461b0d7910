"""What a router's HTTP answers mean: status pages as models, refusals as errors.

Every string in them is cleaned and every number brought into range before anything is made of
them, so that what leaves here can be shown.
"""

import math
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from idleclaw_protocol import limits
from idleclaw_protocol.near_names import nearest_names
from idleclaw_protocol.refusal import Refusal
from idleclaw_protocol.text_safety import clean_line
from idleclaw_tui.errors import NoNode, RateLimited, RouterBusy, RouterRefused

MAX_TEXT_CHARS: Final = limits.MAX_ERROR_CHARS
"""A longer string of a router's is shown cut, with an ellipsis."""

MAX_RETRY_AFTER_SECONDS: Final = 86_400

StatusModel = TypeVar("StatusModel", bound=BaseModel)


def read_status(kind: type[StatusModel], body: bytes) -> StatusModel | None:
    """Return the status page in `body`, cleaned, or None where it is no page of that kind."""
    try:
        return kind.model_validate(cleaned(from_json(body)))
    except (ValueError, ValidationError):
        return None


def read_refusal(
    status: int, retry_after: str | None, location: str | None, body: bytes, model: str | None
) -> RouterRefused:
    """Return the error that an answer with another `status` than 200 is.

    `retry_after` and `location` are the headers of these names. `model` is what was asked for; a
    503 then means `NoNode`, unless the router says when to come again.
    """
    seconds = _seconds(retry_after)
    if status == 429:
        return RateLimited(status, retry_after=seconds)
    if 300 <= status < 400 and location:
        target = clean_line(location, MAX_TEXT_CHARS)
        return RouterRefused(status, f"it has moved to {target}; give that with --server")
    refusal = _refusal(body)
    if refusal is None:
        return RouterRefused(status, retry_after=seconds)
    if status == 503 and model is not None:
        if refusal.models is None and seconds is not None:
            return RouterBusy(status, refusal.detail, retry_after=seconds)
        names = refusal.models or ()
        return NoNode(model, nearest=nearest_names(model, names), models=names)
    return RouterRefused(status, refusal.detail, retry_after=seconds, models=refusal.models or ())


def cleaned(value: Any) -> Any:
    """Return a JSON value with every string safe to show on one line, every number in 0..2**53."""
    match value:
        case str():
            return clean_line(value, MAX_TEXT_CHARS)
        case bool() | None:
            return value
        case int():
            return min(max(value, 0), limits.MAX_COUNT)
        case float():
            return min(max(value, 0.0), float(limits.MAX_COUNT)) if math.isfinite(value) else 0.0
        case list():
            return [cleaned(item) for item in value]
        case dict():
            return {cleaned(key): cleaned(item) for key, item in value.items()}
    raise TypeError(f"not a JSON value: {type(value)}")


def _refusal(body: bytes) -> Refusal | None:
    """Read `{"detail": ...}`; the original's detail may be a list of what is wrong with a body."""
    try:
        parts = cleaned(from_json(body))
        if isinstance(parts["detail"], list):
            parts["detail"] = parts["detail"][0]["msg"]
        return Refusal.model_validate(parts)
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _seconds(retry_after: str | None) -> int | None:
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(int(retry_after[:9]), MAX_RETRY_AFTER_SECONDS)
