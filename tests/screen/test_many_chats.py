"""Several chats: each streams on its own; opening, closing, searching, exporting, leaving."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core import from_json as json_value
from textual.widgets import Input

from idleclaw_tui.chat.chats import MAX_CHATS
from idleclaw_tui.errors import RouterUnreachable
from idleclaw_tui.router.chat_updates import Finished, TextPiece
from idleclaw_tui.screen.tabs.conversation import Conversation
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import SERVER, FakeRouter, network

END = Finished("stop")


async def talked(screen: Screen, question: str) -> None:
    """Ask a question in the chat that shows and wait for the end of its answer."""
    await screen.ask(question)
    await screen.until(lambda: screen.answer.ended, "answered")


async def new_chat(screen: Screen) -> None:
    """Open a chat and wait for it."""
    await screen.press("ctrl+n")
    await screen.until(lambda: screen.chat.chat.empty, "a new chat")


async def test_two_chats_stream_at_once_each_into_its_own() -> None:
    first, second = asyncio.Event(), asyncio.Event()
    router = FakeRouter(network(), [TextPiece("Fir"), first, TextPiece("st."), END])
    async with opened(router) as screen:
        await screen.ask("Rust lifetimes")
        await screen.until_shown("Fir")
        await new_chat(screen)
        router.script = [TextPiece("Sec"), second, TextPiece("ond."), END]
        await screen.ask("Dinner plan")
        await screen.until_shown("Sec", "1 Rust lifetimes ◐   2 Dinner plan ◐")
        assert len(router.bodies) == 2, "both are being answered"
        assert "Fir" not in screen.text
        first.set()
        await screen.until_shown("1 Rust lifetimes ●   2 Dinner plan ◐")
        await screen.press("f6")
        await screen.until_shown("First.", "✓ llama3.2:3b", "1 Rust lifetimes   2 Dinner plan ◐")
        second.set()
        await screen.until_shown("2 Dinner plan ●")
        await screen.press("f5")
        await screen.until_shown("Second.", "1 Rust lifetimes   2 Dinner plan")
    assert [[m.content for m in body.messages] for body in router.bodies] == [
        ["Rust lifetimes"],
        ["Dinner plan"],
    ]


async def test_each_chat_has_its_draft_and_its_model() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        await talked(screen, "Hello")
        await new_chat(screen)
        await screen.press(*"half a question")
        screen.chat.use_model("qwen3:8b")
        await screen.press("f5")
        await screen.until_shown("Hello", "llama3.2:3b · 3.2B")
        assert screen.prompt.text == ""
        await screen.press(*"other")
        await screen.press("f6")
        await screen.until_shown("half a question", "qwen3:8b · 8.2B")
        await screen.press("f5")
        await screen.until_shown("other")


async def test_more_than_nine_chats_are_not_opened() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        for number in range(MAX_CHATS):
            await talked(screen, f"Question {number}")
            await screen.press("ctrl+n")
        await screen.until_shown("9 chats are open, which is all there can be.")
        assert len(screen.chat.query(Conversation)) == MAX_CHATS


async def test_closing_asks_where_something_would_be_lost() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), asyncio.Event()])
    async with opened(router) as screen:
        await screen.ask("Hello")
        await screen.until_shown("Hi")
        await new_chat(screen)
        await screen.press(*"unsent")
        await screen.press("f8")
        await screen.until_shown("Hello", "Hi")
        assert len(screen.chat.query(Conversation)) == 1, "an empty chat goes without a question"
        await screen.press("up")
        assert screen.prompt.text == "unsent", "its draft is in the history"
        await screen.press("f8")
        await screen.until_shown("Close this chat", "“Hello” is kept nowhere")
        await screen.press("escape")
        await screen.until_gone("kept nowhere")
        await screen.press("f8")
        await screen.until_shown("kept nowhere")
        await screen.press("enter")
        await screen.until_shown("Ask the idle machines of the world")
        await screen.until(lambda: router.closed_early, "cancelled at the router")


async def test_a_search_goes_to_the_place_in_another_chat() -> None:
    router = FakeRouter(network(), [TextPiece("The needle is here."), END])
    async with opened(router) as screen:
        await talked(screen, "Where?")
        router.script = [TextPiece("Nothing."), END]
        await talked(screen, "And then?")
        await new_chat(screen)
        await talked(screen, "Something else")
        await screen.press("ctrl+f")
        await screen.until_shown("Search the open chats", "Nothing is searched but what is open")
        await screen.press(*"nowhere")
        await screen.until_shown("Found nowhere.")
        screen.app.screen.query_one(Input).value = "needle"
        await screen.until_shown("1 answer  The needle is here.")
        await screen.press("enter")
        await screen.until_shown("The needle is here.", "And then?")
        assert str(screen.chat.query_one("QuestionView.-selected").render()) == "Where?"
        await screen.press("ctrl+y")
        assert screen.app.clipboard == "The needle is here."


async def test_an_exported_chat_is_saved_and_can_be_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    router = FakeRouter(network(), [TextPiece("**Hi**"), END])
    async with opened(router) as screen:
        await talked(screen, "Hello there")
        await screen.press("ctrl+s")
        await screen.until_shown("Export this chat to a file", "hello-there.md")
        await screen.press("enter")
        await screen.until_shown("Written to hello-there.md.")
        assert "**Hi**" in (tmp_path / "hello-there.md").read_text()

        name = screen.app
        await screen.press("ctrl+s")
        await screen.until_shown("hello-there-2.md")
        name.screen.query_one(Input).value = "none/chat.json"
        await screen.press("enter")
        await screen.until_shown("none/chat.json: no such file or directory.")
        name.screen.query_one(Input).value = "chat.json"
        await screen.press("enter")
        await screen.until_shown("Written to chat.json.")
        written = json_value((tmp_path / "chat.json").read_bytes())
        assert written["exchanges"][0]["answer"]["text"] == "**Hi**"

        await screen.press("ctrl+l")
        await screen.until_shown("Open a chat from a file")
        name.screen.query_one(Input).value = "hello-there.md"
        await screen.press("enter")
        await screen.until_shown("This is no exported chat")
        name.screen.query_one(Input).value = "chat.json"
        await screen.press("enter")
        await screen.until_shown("1 Hello there   2 Hello there", "Hi", "✓ llama3.2:3b")
        await screen.ask("More?")
        await screen.until(lambda: len(router.bodies) == 2, "asked")
    assert [m.content for m in router.bodies[1].messages] == ["Hello there", "**Hi**", "More?"]


async def test_a_file_is_not_overwritten_without_a_second_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.md").write_text("mine")
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        await talked(screen, "Hello")
        await screen.press("ctrl+s")
        await screen.until_shown("Export this chat to a file")
        screen.app.screen.query_one(Input).value = "mine.md"
        await screen.press("enter")
        await screen.until_shown("mine.md is there already. Enter again replaces it.")
        assert (tmp_path / "mine.md").read_text() == "mine"
        await screen.press("enter")
        await screen.until_shown("Written to mine.md.")
    assert (tmp_path / "mine.md").read_text().startswith("# Hello")


async def test_leaving_asks_once_where_chats_would_be_lost(tmp_path: Path) -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        await talked(screen, "Hello")
        await screen.press("ctrl+q")
        await screen.until_shown("Leave IdleClaw", "“Hello” is kept nowhere")
        await screen.press("escape")
        await screen.until_gone("kept nowhere")
        await screen.press("ctrl+q")
        await screen.until_shown("kept nowhere")
        await screen.press("s")
        await screen.until_shown("Export this chat to a file")
        screen.app.screen.query_one(Input).value = str(tmp_path / "hello.md")
        await screen.press("enter")
        await screen.until_shown("Written to")
        await screen.press("ctrl+q")
        await screen.until(lambda: not screen.app.is_running, "left without another question")


async def test_a_second_key_to_leave_leaves() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        await talked(screen, "Hello")
        await screen.press("ctrl+q")
        await screen.until_shown("kept nowhere")
        await screen.press("ctrl+q")
        await screen.until(lambda: not screen.app.is_running, "left")


async def test_an_empty_chat_is_left_at_once() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.press("ctrl+q")
        await screen.until(lambda: not screen.app.is_running, "left")


@pytest.fixture
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory and a home in which nothing may appear."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.usefixtures("untouched")
async def test_nothing_is_written_to_disk_unless_the_person_exports() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        await talked(screen, "Hello")
        await new_chat(screen)
        await talked(screen, "Again")


async def test_a_chat_that_does_not_show_is_asked_again_too() -> None:
    clock = FakeClock()
    router = FakeRouter(network(), [RouterUnreachable(SERVER, "refused")])
    async with opened(router, clock=clock) as screen:
        await screen.ask("Hello")
        await screen.until_shown("retrying in 2 s")
        await new_chat(screen)
        router.script = [TextPiece("Here."), END]
        clock.now += 2.0
        await screen.until_shown("1 Hello ●")
        await screen.press("f5")
        await screen.until_shown("Here.", "✓ llama3.2:3b")
    assert [m.content for m in router.bodies[1].messages] == ["Hello"]
