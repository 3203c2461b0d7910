"""One model of arguments a tool: what a model reads, and what it may send."""

from datetime import UTC, datetime
from typing import cast

import pytest

from idleclaw_server.clock_tool import current_time
from idleclaw_server.errors import ToolFailed
from idleclaw_server.offered_tools import CURRENT_TIME, WEB_SEARCH, TimeArguments, tool_set
from idleclaw_server.settings import Settings
from idleclaw_server.tool_specs import ToolArgumentError, ToolSet, ToolSpec
from idleclaw_tui import relay_values


def test_the_definition_is_what_ollama_takes() -> None:
    assert WEB_SEARCH.definition == {
        "type": "function",
        "function": {
            "name": "web_search",
            "description": "Searches the web, for recent events and facts that you do not know.",
            "parameters": {
                "type": "object",
                "properties": {
                    "query": {
                        "description": "What to look for.",
                        "maxLength": 400,
                        "minLength": 1,
                        "type": "string",
                    }
                },
                "required": ["query"],
            },
        },
    }


def test_a_node_of_this_project_takes_every_definition() -> None:
    definitions = [WEB_SEARCH.definition, CURRENT_TIME.definition]
    assert relay_values.tools(definitions) == definitions


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "missing required argument 'query'"),
        ({"query": "x", "z": 1}, "unexpected argument 'z'"),
        ({"query": 5}, "argument 'query' must be a string"),
        ({"query": None}, "argument 'query' must be a string"),
        ({"query": ""}, "argument 'query': String should have at least 1 character"),
        ({"query": "x" * 401}, "argument 'query': String should have at most 400 characters"),
        ("query", "the arguments must be an object"),
        ({"query": "x", "\x1b[31m" + "z" * 100: 1}, "unexpected argument 'zzz"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(arguments: object, words: str) -> None:
    """A22: types are not converted, and nothing unknown is let through."""
    with pytest.raises(ToolArgumentError) as raised:
        WEB_SEARCH.check(arguments)
    assert str(raised.value).startswith(words)
    assert len(str(raised.value)) < 120
    assert "\x1b" not in str(raised.value)


def test_a_set_of_tools_cannot_be_changed() -> None:
    """A22: no tool appears after the start."""
    tools = ToolSet([WEB_SEARCH])
    assert tools.get("web_search") is WEB_SEARCH
    assert tools.get("current_time") is None
    assert not hasattr(tools, "__dict__")
    with pytest.raises(TypeError):
        cast(dict[str, ToolSpec], tools._by_name)["x"] = WEB_SEARCH


def test_only_what_has_a_backend_is_offered() -> None:
    assert [d["function"]["name"] for d in tool_set(Settings()).definitions] == ["current_time"]
    assert not tool_set(Settings()).described
    assert not tool_set(Settings(current_time_tool=False))
    searching = tool_set(Settings(searxng_url="http://127.0.0.1:8888"))
    assert len(searching.definitions) == 2
    assert searching.described
    assert '"query"' in searching.prompt


async def test_the_time_in_a_zone() -> None:
    def noon() -> datetime:
        return datetime(2026, 11, 22, 12, 5, tzinfo=UTC)

    assert await current_time(TimeArguments(), noon) == "Sunday, 2026-11-22 12:05 (UTC)"
    tokyo = TimeArguments(timezone="Asia/Tokyo")
    assert await current_time(tokyo, noon) == "Sunday, 2026-11-22 21:05 (Asia/Tokyo)"


@pytest.mark.parametrize(
    "zone", ["Nowhere", "../../etc/passwd", "/etc/passwd", "", "a\x00b", "Asia"]
)
async def test_a_zone_that_nobody_knows(zone: str) -> None:
    """A22: the name of a zone cannot be made into the name of a file."""
    with pytest.raises(ToolFailed, match="no such time zone"):
        await current_time(TimeArguments(timezone=zone))
