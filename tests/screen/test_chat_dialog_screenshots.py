"""Several chats, the dialogs of the Chat tab and its help as they look, byte by byte."""

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from idleclaw_tui.router.chat_updates import Finished, TextPiece
from idleclaw_tui.screen.widgets.bounded_area import BoundedArea
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, network
from tests.screen.shooting import SIZES, Shoot, Size, still
from tests.screen.test_chat_screenshots import ANSWER, END, asked


async def in_dialog(screen: Screen, key: str, *shown: str) -> None:
    """Open a dialog whose cursor stands still."""
    await screen.press(key)
    await screen.until_shown(*shown)
    for field in screen.app.screen.query(Input):
        field.cursor_blink = False
    await screen.pilot.pause()


@SIZES
async def test_model_picker(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network()), size) as screen:
        name = still(screen, size, "model-picker")
        await screen.until_shown("llama3.2:3b ·")
        await in_dialog(screen, "ctrl+t", "Models online", "qwen3:8b", "gemma3:1b")
        screenshot(screen, name)


@SIZES
async def test_chat_several(screenshot: Shoot, size: Size) -> None:
    gate = asyncio.Event()
    router = FakeRouter(network(), [TextPiece("Pasta."), gate, END])
    async with opened(router, size) as screen:
        name = still(screen, size, "chat-several")
        await screen.ask("Plan five quick dinners")
        await screen.until_shown("Pasta.")
        await screen.press("ctrl+n")
        await screen.until(lambda: screen.chat.chat.empty, "a new chat")
        router.script = [TextPiece("Sure."), asyncio.Event()]
        await screen.ask("Merge overlapping intervals")
        await screen.until_shown("Sure.")
        await screen.press("ctrl+n")
        await screen.until(lambda: screen.chat.chat.empty, "a new chat")
        router.script = [TextPiece(ANSWER), END]
        await asked(screen, "412 tokens")
        gate.set()
        await screen.until_shown("●   2", "◐   3")
        screenshot(screen, name)


@SIZES
async def test_chat_search(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [TextPiece(ANSWER), END])
    async with opened(router, size) as screen:
        name = still(screen, size, "chat-search")
        await asked(screen, "412 tokens")
        await in_dialog(screen, "ctrl+f", "Search the open chats")
        await screen.press(*"lifetime")
        await screen.until_shown("1 you")
        screenshot(screen, name)


@SIZES
async def test_chat_export(
    screenshot: Shoot, size: Size, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "how-do-lifetimes-work.md").touch()
    async with opened(FakeRouter(network(), [TextPiece(ANSWER), END]), size) as screen:
        name = still(screen, size, "chat-export")
        await asked(screen, "412 tokens")
        await in_dialog(screen, "ctrl+s", "Export this chat", "how-do-lifetimes-work-2.md")
        screen.app.screen.query_one(Input).value = "how-do-lifetimes-work.md"
        await screen.press("enter")
        await screen.until_shown("Enter again replaces it.")
        screenshot(screen, name)


@SIZES
async def test_chat_editing(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [TextPiece("Because."), Finished("stop")])
    async with opened(router, size) as screen:
        name = still(screen, size, "chat-editing")
        for question in ("Why is the sky blue?", "And at sunset?"):
            await screen.ask(question)
            await screen.until_shown(question, "✓")
        await screen.press("alt+up", "alt+up", "ctrl+e")
        await screen.until_shown("Editing question 1 of 2")
        screenshot(screen, name)


@SIZES
async def test_chat_instructions(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network()), size) as screen:
        name = still(screen, size, "chat-instructions")
        await screen.until_shown("llama3.2:3b ·")
        await screen.press("f9")
        await screen.until_shown("Instructions for this chat")
        screen.app.screen.query_one(BoundedArea).cursor_blink = False
        await screen.press(*"Answer in one sentence.")
        await screen.pilot.pause()
        screenshot(screen, name)


@SIZES
async def test_chat_leaving(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network(), [TextPiece(ANSWER), END]), size) as screen:
        name = still(screen, size, "chat-leaving")
        await asked(screen, "412 tokens")
        await screen.press("ctrl+q")
        await screen.until_shown("Leave IdleClaw", "Export it first")
        screenshot(screen, name)


@SIZES
async def test_chat_help(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network(), [TextPiece(ANSWER), END]), size) as screen:
        name = still(screen, size, "chat-help")
        await asked(screen, "412 tokens")
        await screen.press("f1")
        await screen.until_shown("Write here.")
        screenshot(screen, name)
