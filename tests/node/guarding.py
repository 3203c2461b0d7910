"""Requests of a router as the guard sees them, and what it makes of them."""

import json
from typing import Any

import pytest

from idleclaw_tui.relay_guard import RelayRefused, guard_request
from tests.node.offers import OFFERED

SECRET = "the words of a stranger"


def params(**changes: Any) -> dict[str, Any]:
    """Return a plain request with some parts changed."""
    return {"model": "able:8b", "messages": [{"role": "user", "content": SECRET}]} | changes


def body(**changes: Any) -> dict[str, Any]:
    """Return what would be sent to Ollama for it."""
    guarded = guard_request(params(**changes), OFFERED)
    result: dict[str, Any] = json.loads(guarded.body)
    assert result["model"] == guarded.model
    return result


def refusal(**changes: Any) -> str:
    """Return why nothing is sent for it; that never quotes it."""
    with pytest.raises(RelayRefused) as caught:
        guard_request(params(**changes), OFFERED)
    assert caught.value.code == "invalid_request"
    assert SECRET not in caught.value.message
    return caught.value.message
