"""How much was given away today: two numbers and a date, kept over restarts."""

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idleclaw_tui.atomic_file import write_atomically

logger = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 4096

_Number = Annotated[int, Field(ge=0, le=10**15)]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore")

    day: date
    tokens: _Number
    requests: _Number


@dataclass(frozen=True, slots=True)
class DayCount:
    """The tokens of answers and the finished requests of one local day."""

    day: date
    tokens: int = 0
    requests: int = 0

    def on(self, day: date) -> "DayCount":
        """Return the count as it stands on `day`: a new day begins at nothing."""
        return self if day == self.day else DayCount(day)

    def plus(self, tokens: int, requests: int, day: date) -> "DayCount":
        """Return the count with what came to an end on `day`."""
        now = self.on(day)
        return DayCount(day, now.tokens + tokens, now.requests + requests)


def count_path() -> Path:
    """Return the file's place in the platform's folder for the state of programs."""
    return platformdirs.user_state_path("idleclaw", appauthor=False) / "today.json"


def load_count(path: Path, day: date) -> DayCount:
    """Return what was counted on `day`; a file that is missing or damaged counts nothing."""
    try:
        with path.open("rb") as file:
            kept = _Kept.model_validate_json(file.read(MAX_FILE_BYTES))
    except FileNotFoundError:
        return DayCount(day)
    except (OSError, ValidationError):
        logger.warning("the count of today's tokens could not be read and begins at nothing")
        return DayCount(day)
    return DayCount(kept.day, kept.tokens, kept.requests).on(day)


def save_count(path: Path, count: DayCount) -> None:
    """Replace the file; a disk that refuses costs the count at the next start, and nothing now."""
    kept = _Kept(day=count.day, tokens=count.tokens, requests=count.requests)
    try:
        write_atomically(path, kept.model_dump_json().encode() + b"\n")
    except OSError:
        logger.warning("the count of today's tokens could not be kept")
