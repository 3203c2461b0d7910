"""What surrounds the tabs: switching, palette, help, themes, sizes, and how the program ends."""

import subprocess
import sys

import pytest
from textual.binding import Binding
from textual.widgets import ContentSwitcher
from textual.widgets._footer import FooterKey

from idleclaw_tui.app import IdleClawApp
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.tabs.chat import ChatTab
from idleclaw_tui.tabs.contribute import ContributeTab
from idleclaw_tui.tabs.network import NetworkTab
from idleclaw_tui.themes import theme_at_start
from idleclaw_tui.widgets.prompt import PromptArea
from idleclaw_tui.widgets.top_bar import TABS, TabName
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, network


def current(screen: Screen) -> str | None:
    """Return the open tab."""
    return screen.app.screen.query_one(ContentSwitcher).current


async def test_tabs_by_key_and_by_mouse() -> None:
    async with opened(FakeRouter(network())) as screen:
        for key, tab in (
            ("f3", "network"),
            ("f4", "contribute"),
            ("ctrl+pagedown", "chat"),
            ("ctrl+pageup", "contribute"),
            ("f2", "chat"),
        ):
            await screen.press(key)
            assert current(screen) == tab
        assert screen.prompt.has_focus
        await screen.pilot.click("#tab-network")
        await screen.until(lambda: current(screen) == "network", "network by mouse")


async def test_the_line_of_keys_is_built_anew_only_where_the_keys_are_others() -> None:
    async with opened(FakeRouter(network())) as screen:

        def keys() -> list[FooterKey]:
            return list(screen.app.query(FooterKey))

        await screen.until(lambda: keys(), "the keys of the chat")
        of_chat = keys()
        screen.app.screen.refresh_bindings()
        await screen.pilot.pause()
        assert keys() == of_chat
        await screen.press("f3")
        await screen.until(
            lambda: "filter" in {key.description for key in keys()}, "the keys of the network"
        )
        await screen.press("f2")
        await screen.until(
            lambda: [key.description for key in keys()] == [key.description for key in of_chat],
            "the keys of the chat again",
        )


async def test_every_action_has_an_id_and_stands_in_the_palette() -> None:
    async with opened(FakeRouter(network())) as screen:
        offered = [command.title for command in screen.app.get_system_commands(screen.app.screen)]
        for node in (IdleClawApp, ChatTab, NetworkTab, ContributeTab, PromptArea):
            for binding in node.__dict__["BINDINGS"]:
                assert isinstance(binding, Binding)
                if node is not PromptArea or binding.action in ("submit", "newline"):
                    assert binding.id, binding
                if node is not PromptArea and binding.action != "command_palette":
                    said = binding.tooltip or binding.description
                    assert any(title.endswith(said) for title in offered), said


async def test_the_palette_runs_an_action_of_another_tab() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.press("ctrl+p")
        await screen.until(lambda: screen.app.screen.query("CommandInput"), "palette")
        await screen.press(*"another column")
        await screen.until_shown("Network: Sort by another column")
        await screen.press("enter")
        await screen.until_shown("params↓")


async def test_f1_shows_and_hides_help() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.press("f1")
        await screen.until_shown("Ctrl+J", "Write here.")
        await screen.press("f1")
        await screen.until_gone("Write here.")


async def test_both_themes_draw_everything() -> None:
    async with opened(FakeRouter(network()), tab="network") as screen:
        assert screen.app.theme == "idleclaw-dark"
        for theme in ("idleclaw-light", "nord", "textual-ansi", "ansi-light"):
            if theme in screen.app.available_themes:
                screen.app.theme = theme
                await screen.press("f2", "f4", "f3", "r")
                await screen.until_shown("llama3.2:3b")


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({}, "idleclaw-dark"),
        ({"TEXTUAL_THEME": "ansi-dark"}, "ansi-dark"),
        ({"NO_COLOR": "1"}, "idleclaw-dark"),
    ],
)
def test_the_theme_at_start(environ: dict[str, str], theme: str) -> None:
    assert theme_at_start(environ) == theme


@pytest.mark.parametrize("tab", TABS)
async def test_every_size_works(tab: TabName) -> None:
    router = FakeRouter(network(), [TextPiece("| a | b |\n|-|-|\n| c | d |"), Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("Hello")
        await screen.until(lambda: screen.answer.ended, "answered")
        screen.app.action_tab(tab)
        for size in ((20, 5), (1, 1), (40, 12), (80, 24), (200, 50)):
            await screen.pilot.resize_terminal(*size)
            await screen.pilot.pause()
            if size <= (40, 12):
                await screen.press("f1", "f1")
        await screen.pilot.resize_terminal(100, 30)
        screen.app.action_tab("chat")
        await screen.until_shown("✓ llama3.2:3b")


async def test_a_label_stands_for_the_router() -> None:
    async with opened(FakeRouter(network()), label="embedded network on this machine") as screen:
        await screen.until_shown("● embedded network on this machine")
        await screen.until_shown("No contributor reads along")


CRASH = """
import sys
from tests.screen.fakes import FakeRouter, make_app, network

app = make_app(FakeRouter(network()))
secret_prompt = "what the person " + "wrote"

def crash(secret: str) -> None:
    raise ValueError(secret)

app.call_later(crash, secret_prompt)
app.run(headless=True)
sys.exit(app.return_code or 0)
"""


def test_a_crash_ends_with_a_failure_and_tells_nothing_that_was_written() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=60, check=False
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "IdleClaw failed, which is its own fault: ValueError" in said
    assert "in crash" in said
    assert "what the person wrote" not in said


def test_leaving_ends_with_success() -> None:
    script = CRASH.replace("app.call_later(crash, secret_prompt)", "app.call_later(app.exit)")
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
