"""The tool `current_time`: what a model cannot know."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from idleclaw_server.errors import ToolFailed
from idleclaw_server.offered_tools import TimeArguments

_WEEKDAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


async def current_time(
    arguments: TimeArguments, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> str:
    """Return the date, the time of day and the weekday in a time zone.

    Raises:
        ToolFailed: nobody knows the zone.
    """
    try:
        zone = await asyncio.to_thread(ZoneInfo, arguments.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolFailed("there is no such time zone; use a name like Europe/Berlin") from None
    moment = now().astimezone(zone)
    return f"{_WEEKDAYS[moment.weekday()]}, {moment:%Y-%m-%d %H:%M} ({arguments.timezone})"
