"""The numbers by which the router decides; one frozen value, passed in."""

from dataclasses import dataclass

from idleclaw_protocol.limits import (
    COMMENT_INTERVAL_SECONDS,
    HEARTBEAT_TIMEOUT_SECONDS,
    PING_INTERVAL_SECONDS,
    REGISTER_TIMEOUT_SECONDS,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds of time (seconds), of memory (bytes) and of counts."""

    first_token_seconds: float = 60.0
    """Silence allowed before the first token of a loaded model."""
    loading_seconds: float = 180.0
    """The same where the node must load the model first."""
    gap_seconds: float = 60.0
    """Silence allowed between two chunks; tool parsers hold tokens back for long."""
    total_seconds: float = 900.0
    """Age at which an answer is ended with `finish_reason: "length"`."""
    max_content_chars: int = 32_000
    """Characters of an answer that are delivered; then it ends with `finish_reason: "length"`."""
    max_thinking_chars: int = 64_000
    """The same for what the model thinks before it answers."""
    max_tool_rounds: int = 5
    """Rounds of tool calls in one request; then the model has to answer without."""
    max_tool_calls: int = 8
    """Tool calls in one request, in all rounds together."""
    tool_calls_per_minute: int = 20
    """Tool calls that the models of one node may make; 0 is no limit."""
    tool_seconds: float = 15.0
    """How long one tool call may take."""
    queue_seconds: float = 110.0
    """Longest wait for a slot; below the 120 s that the original's consumer waits for anything."""
    ping_seconds: float = PING_INTERVAL_SECONDS
    """Silence of a node after which it is pinged; half of it later the answer is due."""
    register_seconds: float = REGISTER_TIMEOUT_SECONDS
    """How long a connection may stay without a registration."""
    close_seconds: float = 5.0
    """How long a node gets to answer a close; then its connection is cut."""
    heartbeat_timeout_seconds: float = HEARTBEAT_TIMEOUT_SECONDS
    cancel_ack_seconds: float = 10.0
    """How long a cancelled request keeps its slot where the node promised to confirm."""
    consumer_stall_seconds: float = 30.0
    """A consumer that takes nothing for this long is cut off."""
    comment_seconds: float = COMMENT_INTERVAL_SECONDS
    """A stream is never silent for longer, so that no reader's timeout fires."""
    queue_notice_seconds: float = 2.0
    """How often a waiting consumer hears of its position at most."""
    body_seconds: float = 10.0
    """How long the body of a chat may take to come in."""
    keepalive_seconds: float = 15.0
    """How long a connection may stay without a request, headers that are not through included."""
    unacknowledged_seconds: float = 60.0
    """How long bytes may stay unacknowledged by a peer, where the kernel can watch that."""
    max_attempts: int = 3
    """Nodes that are tried for one request before its first token."""
    max_waiting_per_model: int = 128
    max_waiting: int = 1024
    max_nodes: int = 10_000
    max_nodes_per_address: int = 0
    """Nodes of one address that are connected at the same time; 0 is no limit."""
    max_stream_bytes: int = 262_144
    """What may wait for one consumer; above it the request is cancelled and the consumer cut."""
    max_stray_frames: int = 1_000
    """Weight of unasked-for frames at which a node is closed; it halves every ten seconds."""
    network_event_seconds: float = 0.5
    """How often at most those who listen to the network are told what changed."""
    max_listeners: int = 1_000
    """Open streams of the network's changes, in all."""
    max_listeners_per_address: int = 16
