"""The router's settings: read once at the edge, frozen, passed in."""

import json
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from idleclaw_server.content_patterns import compiled
from idleclaw_server.prompt import MAX_SAFETY_CHARS


def _listed(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _origin(value: str) -> str:
    scheme, separator, host = value.partition("://")
    if value != "*" and (scheme not in ("http", "https") or not separator or not host):
        raise ValueError('an origin is written like "https://chat.example", or "*"')
    return value.rstrip("/")


def _token(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if secret and (len(secret) < 16 or not secret.isascii() or not secret.isprintable()):
        raise ValueError("a token has at least 16 printable ASCII characters")
    return value


def _json_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('patterns are written as a JSON list, like ["one", "two"]') from None


def _patterns(value: tuple[str, ...]) -> tuple[str, ...]:
    compiled(value)
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError('an address is written like "http://127.0.0.1:8888"')
    if parts.query or parts.fragment or parts.username:
        raise ValueError("an address has no user, query or fragment here")
    return value


PatternList = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_json_list), AfterValidator(_patterns)
]
Limit = Annotated[int, Field(ge=0, le=1_000_000)]
Origin = Annotated[str, AfterValidator(_origin)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Settings(BaseSettings):
    """Every field is an environment variable with the prefix IDLECLAW_; flags win over them."""

    model_config = SettingsConfigDict(
        env_prefix="IDLECLAW_",
        env_ignore_empty=True,
        hide_input_in_errors=True,
        frozen=True,
        use_attribute_docstrings=True,
    )

    host: str = "127.0.0.1"
    """Address to listen on; other machines reach the router only if this is changed."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """TCP port; 0 takes a free one."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe kind of log line; no line at any level holds what people write."""
    log_format: Literal["plain", "json"] = "plain"
    """Form of a log line; json is one object a line, for production."""
    drain_seconds: Seconds = 30.0
    """Longest time that running answers get to end after SIGTERM, in seconds."""

    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Networks whose X-Forwarded-For is believed, like 127.0.0.1 or 10.0.0.0/8, with commas."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Web pages that may use the router from a browser, like https://chat.example, with commas."""

    address_limits: bool = True
    """Whether addresses are limited at all; off suits a router that serves this machine alone."""
    chats_per_minute: Limit = 20
    """Chats an address may start in a minute; 0 is no limit, here and in the next five."""
    registrations_per_minute: Limit = 5
    """Connections of nodes that an address may open in a minute."""
    others_per_minute: Limit = 60
    """All other requests that an address may make in a minute."""
    chats_per_address: Limit = 3
    """Chats of an address that run at the same time."""
    nodes_per_address: Limit = 3
    """Nodes of an address that are connected at the same time."""
    connections_per_address: Limit = 64
    """Open connections of an address, of whatever kind."""
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Open connections in all; fewer where the system allows fewer open files."""

    prompt_safety: Annotated[str, Field(max_length=MAX_SAFETY_CHARS)] = ""
    """Rules that every model is told before anything else."""
    prompt_identity: bool = True
    """Whether models are told that they are an assistant on IdleClaw."""
    prompt_date: bool = True
    """Whether models are told today's date (UTC)."""
    prompt_brief_thinking: bool = True
    """Whether models that think are asked to do so briefly."""
    prompt_history: Annotated[int, Field(ge=1, le=50)] = 20
    """Newest messages of a conversation that a node gets."""

    inbound_patterns: PatternList = ()
    """Regular expressions, as a JSON list; a chat in which one is found is refused."""
    outbound_patterns: PatternList = ()
    """The same for answers; what one finds there becomes "[content filtered]"."""

    searxng_url: Annotated[str, AfterValidator(_http_url)] = ""
    """Address of a SearXNG; models may then search the web with it, and with nothing else."""
    current_time_tool: bool = True
    """Whether models that know tools may ask for the time of day."""
    tool_calls_per_minute: Limit = 20
    """Tool calls that the models of one node may make in a minute; 0 is no limit."""

    answer_chars: Annotated[int, Field(ge=1, le=1_000_000_000)] = 32_000
    """Characters of an answer that are delivered; then it ends, and says so."""
    thinking_chars: Annotated[int, Field(ge=1, le=10_000_000)] = 64_000
    """The same for what a model thinks before it answers."""
    answer_seconds: Annotated[float, Field(ge=1, le=86_400)] = 900.0
    """Age at which an answer ends, and says so."""

    probes: bool = True
    """Whether idle nodes are asked questions with known answers, to find those that cheat."""
    probe_seconds: Annotated[float, Field(ge=1, le=604_800)] = 1800.0
    """Mean time between two such questions to a proven node, in seconds; a sixth for others."""

    admin_token: Annotated[SecretStr, AfterValidator(_token)] = SecretStr("")
    """Token for GET /admin/nodes; without one that path is not there. Better a variable."""
    counters_file: Path | None = None
    """File that keeps the totals of /metrics over restarts; without one they begin at zero."""
