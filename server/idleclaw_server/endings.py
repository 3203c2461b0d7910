"""What a consumer is told at the end of an answer; no word of it names a node."""

from collections.abc import Mapping
from typing import Final

from idleclaw_protocol.chat import ErrorCode, EventError, FinishReason, Timings, Usage
from idleclaw_server.inference import Ending
from idleclaw_server.relay import Relay

_SENTENCES: Final[Mapping[ErrorCode, str]] = {
    "node_lost": "The node that was answering left. Ask again to get another one.",
    "node_error": "The node's Ollama could not answer this. Ask again, or choose another model.",
    "timeout": "The node fell silent. Ask again, or choose another model.",
    "queue_timeout": "No node became free in time. Try again later, or choose another model.",
    "no_node": "No node has this model any more. Choose another one.",
    "overloaded": "Every node with this model turned the request down. Try again in a while.",
    "shutting_down": "The router is restarting. Ask again in a few seconds.",
}


def ending(
    relay: Relay,
    reason: FinishReason,
    now: float,
    *,
    code: ErrorCode | None = None,
    usage: Usage | None = None,
    tokens_per_second: float | None = None,
) -> Ending:
    """Return how `relay` ends now; `code` goes with the reason "error" and with no other."""
    first = relay.first_token_at
    started = relay.first_dispatch_at
    timings = Timings(
        queued=round((now if started is None else started) - relay.submitted_at, 3),
        first_token=None if first is None else round(first - relay.submitted_at, 3),
        total=round(now - relay.submitted_at, 3),
        tokens_per_second=None if tokens_per_second is None else round(tokens_per_second, 2),
    )
    return Ending(
        reason=reason,
        timings=timings,
        usage=usage,
        error=None if code is None else EventError(code=code, message=_SENTENCES[code]),
        tool_calls=tuple(relay.tool_calls),
    )
