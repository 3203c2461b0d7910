"""A conversation that is longer than the screen: what of it is there, and what is read."""

import asyncio

from idleclaw_protocol.chat import Usage
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.widgets.exchange_view import QuestionView
from idleclaw_tui.widgets.message_list import MAX_MOUNTED, MessageList
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, Step, network

END = Finished("stop", Usage(completion_tokens=3))


def fill(screen: Screen, exchanges: int) -> None:
    """Put earlier questions and answers into the conversation."""
    transcript = screen.chat.conversation.transcript
    for number in range(exchanges):
        answer = transcript.ask(f"Question {number}", "tiny:1b", 0.0).answer
        answer.apply(TextPiece(f"Answer {number}\n\n- of\n- some\n- lines"), 0.0)
        answer.apply(END, 0.0)


async def test_a_long_conversation_is_shown_in_windows() -> None:
    router = FakeRouter(network(), [TextPiece("ok"), END])
    async with opened(router) as screen:
        fill(screen, 40)
        await screen.ask("The last one")
        await screen.until_shown("The last one", "✓ llama3.2:3b")
        views = screen.chat.conversation.query(QuestionView)
        assert len(views) == MAX_MOUNTED
        await screen.press("ctrl+up")
        await screen.until(lambda: "24 earlier" in screen.said("#earlier"), "earlier ones")
        assert "5 later" in screen.said("#later")
        await screen.press("ctrl+down")
        await screen.until(lambda: "29 earlier" in screen.said("#earlier"), "later ones")
        assert len(views) == MAX_MOUNTED


async def test_scrolling_to_an_end_brings_more_and_keeps_the_place() -> None:
    router = FakeRouter(network(), [TextPiece("ok"), END])
    async with opened(router) as screen:
        fill(screen, 40)
        await screen.ask("The last one")
        await screen.until_shown("The last one", "✓ llama3.2:3b")
        messages = screen.chat.query_one(MessageList)
        messages.scroll_home(animate=False)
        await screen.until(lambda: "24 earlier" in screen.said("#earlier"), "earlier ones")
        await screen.until_shown("Question 29")
        row = next(y for y, line in enumerate(screen.text.split("\n")) if "Question 29" in line)
        assert row < 8, "what was on top is still near the top"
        messages.scroll_end(animate=False)
        await screen.until(lambda: "29 earlier" in screen.said("#earlier"), "later ones")
        await screen.until_shown("Answer 35")


async def test_reading_further_up_is_not_disturbed_by_new_text() -> None:
    gate = asyncio.Event()
    lines = TextPiece("line\n\n" * 60)
    script: list[Step] = [lines, gate, TextPiece("the end"), END]
    async with opened(FakeRouter(network(), script)) as screen:
        messages = screen.chat.query_one(MessageList)
        await screen.ask("Count")
        await screen.until(lambda: messages.max_scroll_y > 30, "long answer")
        assert messages.scroll_y == messages.max_scroll_y, "at the bottom by itself"
        await screen.press("pageup")
        await screen.until(lambda: messages.scroll_y < messages.max_scroll_y, "scrolled up")
        place = messages.scroll_y
        gate.set()
        await screen.until(lambda: screen.answer.ended, "answered")
        assert messages.scroll_y == place
