"""The prompt: what sends, what breaks a line, and what a paste may do."""

from textual import events

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_tui.chat_updates import Finished, TextPiece
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, network


async def paste(screen: Screen, text: str) -> None:
    """Paste as a terminal with bracketed paste does."""
    screen.app.post_message(events.Paste(text))
    await screen.pilot.pause()


async def test_enter_sends_and_other_keys_break_the_line() -> None:
    router = FakeRouter(network(), [TextPiece("ok"), Finished("stop")])
    async with opened(router) as screen:
        await screen.press("a", "ctrl+j", "b", "shift+enter", "c", "alt+enter", "d")
        assert screen.prompt.text == "a\nb\nc\nd"
        screen.prompt.post_message(events.Key("shift+\r", "\r"))
        await screen.pilot.pause()
        assert screen.prompt.text == "a\nb\nc\nd\n"
        await screen.press("e", "enter")
        await screen.until_shown("✓ llama3.2:3b")
    assert router.bodies[0].messages[0].content == "a\nb\nc\nd\ne"


async def test_nothing_but_blanks_is_not_sent() -> None:
    router = FakeRouter(network())
    async with opened(router) as screen:
        await screen.press("space", "enter")
    assert router.bodies == []


async def test_half_a_character_does_not_break_the_question() -> None:
    router = FakeRouter(network(), [TextPiece("ok"), Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("a\ud800b\x1b[2J")
        await screen.until_shown("✓ llama3.2:3b")
    assert router.bodies[0].messages[0].content == "a\ufffdb"


async def test_a_paste_of_many_lines_sends_nothing() -> None:
    router = FakeRouter(network())
    async with opened(router) as screen:
        await paste(screen, "one\r\ntwo\rthree\n")
        assert screen.prompt.text == "one\ntwo\nthree\n"
    assert router.bodies == []


async def test_a_huge_paste_is_cut_and_said() -> None:
    async with opened(FakeRouter(network())) as screen:
        await paste(screen, "x" * 1_000_000)
        assert len(screen.prompt.text) == MAX_MESSAGE_CHARS
        await screen.until_shown("10,000 of 1,000,000 pasted characters are here")
        await screen.until_shown("10,000 of 10,000 characters")


async def test_a_paste_brings_no_control_characters() -> None:
    async with opened(FakeRouter(network())) as screen:
        await paste(screen, "a\x1b]0;title\x07b\x1b[31mc\u202ed")
        assert screen.prompt.text == "abcd"


async def test_too_long_a_question_stays_in_the_prompt() -> None:
    router = FakeRouter(network())
    async with opened(router) as screen:
        await screen.ask("x" * (MAX_MESSAGE_CHARS + 1))
        await screen.until_shown("Too long for one message: 10,001 of 10,000 characters.")
        assert len(screen.prompt.text) == MAX_MESSAGE_CHARS + 1
    assert router.bodies == []


async def test_typing_goes_into_the_prompt_wherever_the_focus_is() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.press("tab")
        await screen.until(lambda: not screen.prompt.has_focus, "focus elsewhere")
        await screen.press("h", "i")
        assert screen.prompt.text == "hi"
        assert screen.prompt.has_focus


async def test_a_key_can_be_mapped_to_another() -> None:
    router = FakeRouter(network(), [TextPiece("ok"), Finished("stop")])
    async with opened(router) as screen:
        screen.app.set_keymap({"prompt.send": "ctrl+s", "prompt.newline": "enter"})
        await screen.press("a", "enter", "b", "ctrl+s")
        await screen.until_shown("✓ llama3.2:3b")
    assert router.bodies[0].messages[0].content == "a\nb"


async def test_who_can_read_along_is_always_said() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.until_shown("Contributors can read what you send")
        await screen.pilot.resize_terminal(40, 12)
        await screen.until_shown("Contributors can read it")
