"""What a consumer is told at the end of an answer; no word of it names a node."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from idleclaw_protocol.chat import ErrorCode, EventError, FinishReason, Timings, Usage
from idleclaw_server.inference import Ending
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Relay

AnswerLimit = Literal["content", "thinking", "seconds"]
"""Which of an answer's bounds cut it short."""

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


def cut(relay: Relay, limit: AnswerLimit, policy: Policy, now: float) -> Ending:
    """Return how `relay` ends now because it reached a limit; what was delivered stands."""
    sentences: Mapping[AnswerLimit, str] = {
        "content": f"Cut here: an answer has at most {policy.max_content_chars:,} characters.",
        "thinking": f"Cut here: a model thinks at most {policy.max_thinking_chars:,} characters.",
        "seconds": f"Cut here: an answer takes at most {policy.total_seconds:g} seconds.",
    }
    return replace(ending(relay, "length", now), notice=sentences[limit])
