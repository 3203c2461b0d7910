"""The router's settings: read once at the edge, frozen, passed in."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every field is an environment variable with the prefix IDLECLAW_; flags win over them."""

    model_config = SettingsConfigDict(
        env_prefix="IDLECLAW_", frozen=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on; other machines reach the router only if this is changed."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """TCP port; 0 takes a free one."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe kind of log line; no line at any level holds what people write."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """Longest time that running answers get to end after SIGTERM, in seconds."""
