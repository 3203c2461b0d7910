"""The keys of the Chat tab: ask again, edit, continue, select, copy; and what they send."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from idleclaw_protocol.chat import ChatBody
from idleclaw_tui.chat.history import GO_ON
from idleclaw_tui.router.chat_updates import Finished, TextPiece
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, network
from tests.screen.test_prompt import paste

END = Finished("stop")
CODE = "Try\n\n```python\nprint(1)\n```\n\nor\n\n```\nls\n```\n"


def said(body: ChatBody) -> list[str]:
    """Return the words of all messages."""
    return [message.content for message in body.messages]


async def talk(screen: Screen, router: FakeRouter, *questions: str) -> None:
    """Ask the questions, each answered by A and its number."""
    for question in questions:
        router.script = [TextPiece(f"A{len(router.bodies) + 1}"), END]
        await screen.ask(question)
        await screen.until(lambda: screen.answer.ended, "answered")


@pytest.fixture
async def screen() -> AsyncIterator[tuple[Screen, FakeRouter]]:
    """A chat with three questions and answers."""
    router = FakeRouter(network())
    async with opened(router) as screen:
        await talk(screen, router, "one", "two", "three")
        await screen.until_shown("A3")
        yield screen, router


Talked = tuple[Screen, FakeRouter]


async def test_asking_again_sends_the_history_before_the_question(screen: Talked) -> None:
    shown, router = screen
    router.script = [TextPiece("again"), END]
    await shown.press("ctrl+r")
    await shown.until_shown("again")
    assert said(router.bodies[-1]) == ["one", "A1", "two", "A2", "three"]
    assert "A3" not in shown.text


async def test_asking_an_earlier_question_again_warns_of_what_goes(screen: Talked) -> None:
    shown, router = screen
    await shown.press("alt+up", "alt+up", "ctrl+r")
    await shown.until_shown("1 later question and what was answered will be gone.")
    await shown.press("escape")
    await shown.until_gone("will be gone")
    assert len(router.bodies) == 3
    await shown.press("ctrl+r")
    await shown.until_shown("will be gone")
    await shown.press("enter")
    await shown.until(lambda: len(router.bodies) == 4, "asked again")
    assert said(router.bodies[-1]) == ["one", "A1", "two"]
    await shown.until_gone("three")


async def test_an_edited_question_replaces_everything_after_it(screen: Talked) -> None:
    shown, router = screen
    await shown.press(*"draft")
    await shown.press("alt+up", "alt+up", "ctrl+e")
    assert shown.prompt.text == "two"
    await shown.until_shown("Editing question 2 of 3: sending replaces it and what follows")
    router.script = [TextPiece("B2"), END]
    await shown.press("!", "enter")
    await shown.until_shown("two!", "B2")
    assert said(router.bodies[-1]) == ["one", "A1", "two!"]
    assert "A3" not in shown.text
    assert shown.prompt.text == "draft", "what stood there before is back"
    assert "Editing" not in shown.text


async def test_leaving_an_edit_brings_the_draft_back(screen: Talked) -> None:
    shown, router = screen
    await shown.press(*"draft")
    await shown.press("alt+up", "ctrl+e")
    assert shown.prompt.text == "three"
    await shown.press("escape")
    await shown.until_gone("Editing")
    assert shown.prompt.text == "draft"
    assert len(router.bodies) == 3


async def test_a_stopped_answer_is_continued_and_grows() -> None:
    router = FakeRouter(network(), [TextPiece("Once upon"), asyncio.Event()])
    async with opened(router) as shown:
        await shown.ask("Tell me a story")
        await shown.until_shown("Once upon")
        await shown.press("escape")
        await shown.until_shown("stopped after 1 token · ^g continue · ^r again")
        router.script = [TextPiece("a time."), END]
        await shown.press("ctrl+g")
        await shown.until_shown("Once upon a time.", "✓ llama3.2:3b · 2 tokens")
        assert said(router.bodies[-1]) == ["Tell me a story", "Once upon", GO_ON]
        router.script = [TextPiece("No."), END]
        await shown.ask("Another?")
        await shown.until_shown("No.")
    assert said(router.bodies[-1]) == ["Tell me a story", "Once upon a time.", "Another?"]


async def test_a_finished_answer_is_not_continued(screen: Talked) -> None:
    shown, router = screen
    await shown.press("ctrl+g")
    assert len(router.bodies) == 3


async def test_the_selected_answer_is_copied(screen: Talked) -> None:
    shown, _ = screen
    await shown.press("alt+up", "alt+up", "alt+up", "ctrl+y")
    await shown.until(lambda: shown.app.clipboard == "A1", "the first copied")
    await shown.press("escape", "ctrl+y")
    await shown.until(lambda: shown.app.clipboard == "A3", "the newest copied")


async def test_a_selected_question_is_marked_and_the_mark_can_be_left(screen: Talked) -> None:
    shown, _ = screen

    def marked() -> list[str]:
        views = shown.chat.query("QuestionView.-selected")
        return [str(view.render()) for view in views]

    await shown.press("alt+up", "alt+up")
    assert marked() == ["two"]
    await shown.press("alt+down")
    assert marked() == ["three"]
    await shown.press("alt+down")
    assert marked() == []
    await shown.press("alt+up")
    assert marked() == ["three"]
    await shown.press("escape")
    assert marked() == []


async def test_code_is_copied_by_its_number() -> None:
    router = FakeRouter(network(), [TextPiece(CODE), END])
    async with opened(router) as shown:
        await shown.ask("How?")
        await shown.until_shown("✓ llama3.2:3b")
        await shown.press("ctrl+b")
        await shown.until_shown("Copy code", "python · 1 line  print(1)", "1 line  ls")
        await shown.press("2")
        await shown.until(lambda: shown.app.clipboard == "ls", "copied")


async def test_a_single_block_of_code_is_copied_at_once(screen: Talked) -> None:
    shown, router = screen
    await shown.press("ctrl+b")
    await shown.until_shown("There is no code in this answer.")
    router.script = [TextPiece("```\nls\n```"), END]
    await shown.ask("How?")
    await shown.until(lambda: shown.answer.ended, "answered")
    await shown.press("ctrl+b")
    await shown.until(lambda: shown.app.clipboard == "ls", "copied")


async def test_up_and_down_walk_through_what_was_sent(screen: Talked) -> None:
    shown, _ = screen
    await shown.press("d", "ctrl+j", "e", "up")
    assert shown.prompt.text == "d\ne", "within the draft it moves the cursor"
    await shown.press("up")
    assert shown.prompt.text == "three"
    await shown.press("up", "up", "up")
    assert shown.prompt.text == "one"
    await shown.press("down", "down", "down")
    assert shown.prompt.text == "d\ne"
    await shown.press("down", "!")
    assert shown.prompt.text == "d\ne!"


async def test_a_suggestion_does_not_lose_the_draft() -> None:
    async with opened(FakeRouter(network())) as shown:
        await shown.press(*"mine")
        await shown.pilot.click("Suggestion")
        await shown.until(lambda: shown.prompt.text.startswith("Explain"), "suggested")
        await shown.press("ctrl+home")
        shown.prompt.move_cursor((0, 0))
        await shown.press("up")
        assert shown.prompt.text == "mine"


async def test_instructions_go_first_and_are_told_in_the_prompt() -> None:
    router = FakeRouter(network(), [TextPiece("Yes."), END])
    async with opened(router) as shown:
        await shown.press("f9")
        await shown.until_shown("Instructions for this chat", "Sent before your questions")
        await shown.press(*"Be brief.")
        await shown.press("ctrl+s")
        await shown.until_shown("· instructions")
        await shown.ask("Well?")
        await shown.until_shown("Yes.")
        assert said(router.bodies[-1]) == ["Be brief.", "Well?"]
        await shown.press("f9")
        await shown.until_shown("Instructions for this chat")
        await paste(shown, "x" * 5000)
        await shown.press("!", "ctrl+s")
        await shown.until_shown("too long")
        await shown.press("escape")
        await shown.until_gone("too long")
        assert shown.chat.chat.transcript.instructions == "Be brief."


async def test_keys_that_wait_when_the_screen_opens_reach_the_prompt() -> None:
    async with opened(FakeRouter(network())) as shown:
        shown.app.screen.set_focus(None)
        shown.app.action_tab("chat")
        assert shown.app.focused is shown.prompt, "at once, and not after the keys that wait"
