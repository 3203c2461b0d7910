"""Every number that both sides of the wire agree on, with its unit in its name or beside it."""

from typing import Final

# Frames on the node's WebSocket. The original's nodes hang up (1009) above one MiB.
MAX_FRAME_BYTES: Final = 1_048_576
MAX_REQUEST_ID_CHARS: Final = 128
MAX_NODE_ID_CHARS: Final = 64
MAX_SECRET_CHARS: Final = 128
MAX_VERSION_CHARS: Final = 64
MAX_FEATURES: Final = 32
MAX_FEATURE_CHARS: Final = 32

# What a node offers.
MAX_MODELS_PER_NODE: Final = 20
MAX_MODEL_NAME_CHARS: Final = 64
MAX_MODEL_BYTES: Final = 1 << 42
MAX_CONTEXT_TOKENS: Final = 1 << 24
MAX_DETAIL_CHARS: Final = 80
MAX_CAPABILITIES: Final = 16
MAX_LOADED_MODELS: Final = 64
MIN_CONCURRENT: Final = 1
MAX_CONCURRENT: Final = 10
DEFAULT_CONCURRENT: Final = 2

# What a consumer asks. Lengths are code points.
MAX_MESSAGES: Final = 50
MAX_MESSAGE_CHARS: Final = 10_000
MAX_TOTAL_CHARS: Final = 100_000

# What a node answers.
MAX_CHUNK_FRAME_BYTES: Final = 131_072
"""A larger chunk ends its request with an error; the original's nodes drop above 100,000."""
MAX_ERROR_CHARS: Final = 300
MAX_TOOL_CALLS: Final = 16
MAX_COUNT: Final = 1 << 53
MAX_NANOSECONDS: Final = 1 << 60

# Time on the wire, in seconds.
REGISTER_TIMEOUT_SECONDS: Final = 10.0
HEARTBEAT_INTERVAL_SECONDS: Final = 15.0
HEARTBEAT_TIMEOUT_SECONDS: Final = 45.0
PING_INTERVAL_SECONDS: Final = 20.0
COMMENT_INTERVAL_SECONDS: Final = 15.0
