"""Names of models, as Ollama allows them: [host/][namespace/]model[:tag].

Source: Ollama's types/model/name.go.
"""

import re
from typing import Final

from idleclaw_protocol.limits import MAX_MODEL_NAME_CHARS

_HOST = r"[A-Za-z0-9_][A-Za-z0-9_.:-]*"
_NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NAME: Final = re.compile(rf"(?:(?:{_HOST}/)?{_NAMESPACE}/)?{_PART}(?::{_PART})?", re.ASCII)


def is_model_name(name: str) -> bool:
    """Whether Ollama would accept `name` and it fits the wire (at most 64 characters)."""
    return len(name) <= MAX_MODEL_NAME_CHARS and _NAME.fullmatch(name) is not None


def is_cloud_name(name: str) -> bool:
    """Whether Ollama would run `name` on ollama.com instead of this machine, even if not listed.

    Source: Ollama's internal/modelref, which reads the ending of the tag.
    """
    tag = name.rpartition("/")[2].lower()
    return tag.endswith((":cloud", "-cloud"))
