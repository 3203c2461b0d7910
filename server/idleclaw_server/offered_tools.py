"""The tools there are, as models see them, and which of them a router offers."""

from typing import Annotated, Final

from pydantic import Field

from idleclaw_server.settings import Settings
from idleclaw_server.tool_specs import ToolArguments, ToolSet, ToolSpec


class SearchArguments(ToolArguments):
    """What `web_search` takes."""

    query: Annotated[str, Field(min_length=1, max_length=400, description="What to look for.")]


WEB_SEARCH: Final = ToolSpec(
    name="web_search",
    description="Searches the web, for recent events and facts that you do not know.",
    arguments=SearchArguments,
)


class TimeArguments(ToolArguments):
    """What `current_time` takes."""

    timezone: Annotated[
        str, Field(max_length=64, description='A name like "Europe/Berlin"; UTC if left out.')
    ] = "UTC"


CURRENT_TIME: Final = ToolSpec(
    name="current_time",
    description="Tells the date and the time of day. Not needed for anything else.",
    arguments=TimeArguments,
)


def tool_set(settings: Settings) -> ToolSet:
    """Return the tools that models are offered.

    The clock alone is no reason to tell a model that knows no tools how to write calls: it has
    the date already, and more of its answers would be spoilt by needless calls than helped.
    """
    specs = [WEB_SEARCH] if settings.searxng_url else []
    specs += [CURRENT_TIME] if settings.current_time_tool else []
    return ToolSet(specs, described=bool(settings.searxng_url))
