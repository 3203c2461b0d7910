"""The body of every answer of a router that is not 2xx."""

from pydantic import BaseModel, ConfigDict


class Refusal(BaseModel):
    """Why a router refuses; `models` could serve instead of the one that was asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    detail: str
    models: tuple[str, ...] | None = None
