"""The Chat tab: from the question to the answer, and what may go wrong on the way."""

import asyncio

import pytest

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.answer import MAX_ANSWER_CHARS
from idleclaw_tui.app import IdleClawApp
from idleclaw_tui.chat_updates import Finished, TextPiece, ThinkingPiece, Waiting
from idleclaw_tui.errors import RouterUnreachable
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing
from idleclaw_tui.router_client import RouterClient
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.thinking_view import ThinkingHead
from tests import fake_router_http as http
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import OLLAMA, SERVER, FakeRouter, Step, network

END = Finished("stop", Usage(completion_tokens=3), Timings(first_token=0.9))


async def test_a_question_is_answered_token_by_token() -> None:
    gate = asyncio.Event()
    router = FakeRouter(network(), [TextPiece("**Hel"), gate, TextPiece("lo**"), END])
    async with opened(router) as screen:
        await screen.ask("Say hello")
        await screen.until_shown("Say hello", "**Hel", "● llama3.2:3b")
        assert screen.prompt.text == ""
        gate.set()
        await screen.until_shown("✓ llama3.2:3b · 3 tokens · first token 0.9 s")
        assert "Hello" in screen.text
        assert "**" not in screen.text, "Markdown is drawn, not shown"
    assert router.bodies[0].messages[0].content == "Say hello"


async def test_the_wait_before_the_first_token_is_honest() -> None:
    loading, first = asyncio.Event(), asyncio.Event()
    script: list[Step] = [
        Waiting("queued", 2, 6.0),
        loading,
        Waiting("loading"),
        first,
        TextPiece("x"),
        END,
    ]
    async with opened(FakeRouter(network(), script)) as screen:
        await screen.ask("Why?")
        await screen.until_shown("◌ llama3.2:3b · waiting · 2nd in line · about 6 s")
        loading.set()
        await screen.until_shown("◐ llama3.2:3b · loading the model")
        first.set()
        await screen.until_shown("✓ llama3.2:3b")


async def test_thinking_is_one_line_that_opens() -> None:
    script: list[Step] = [ThinkingPiece("Let me see."), TextPiece("Four."), END]
    async with opened(FakeRouter(network(), script)) as screen:
        await screen.ask("2+2?")
        await screen.until_shown("▸ thought for", "Four.")
        assert "Let me see." not in screen.text
        await screen.pilot.click(ThinkingHead)
        await screen.until_shown("Let me see.")
        await screen.pilot.click(ThinkingHead)
        await screen.until_gone("Let me see.")


async def test_stopping_keeps_the_text_and_cancels_at_the_router() -> None:
    async with http.FakeRouter() as router:
        gate = asyncio.Event()
        router.script = [http.text("It was "), http.Hold(gate), http.text("late")]
        sharing = LocalSharing(NodeFeed(), OLLAMA)
        app = IdleClawApp(RouterClient(router.url), sharing, router.url)
        async with app.run_test(size=(100, 30)) as pilot:
            screen = Screen(app, pilot)
            await screen.until_shown("2 nodes")
            await screen.ask("Tell me a story")
            await screen.until_shown("It was", "esc stop")
            await screen.press("escape")
            async with asyncio.timeout(5):
                await router.chats[0].disconnected.wait()
            await screen.until_shown("‖ tiny:1b · stopped after 1 token · ^g continue")
            assert "It was" in screen.text


async def test_an_error_is_a_state_of_the_transcript_and_can_be_retried() -> None:
    router = FakeRouter(network(), [RouterUnreachable(SERVER, "broken")])
    async with opened(router) as screen:
        await screen.ask("Anyone?")
        await screen.until_shown("✕ The connection to https://api.idleclaw.com broke.", "^r again")
        router.script = [TextPiece("Here."), END]
        await screen.press("ctrl+r")
        await screen.until_shown("Here.", "✓ llama3.2:3b")
        assert "broke" not in screen.text
    assert [body.messages[-1].content for body in router.bodies] == ["Anyone?", "Anyone?"]


async def test_a_cut_answer_keeps_its_text() -> None:
    router = FakeRouter(network(), [TextPiece("Half an"), Finished("error", error="The node left")])
    async with opened(router) as screen:
        await screen.ask("Why?")
        await screen.until_shown("Half an", "✕ The node left. llama3.2:3b · 1 token kept")


async def test_a_fault_of_this_program_leaves_no_answer_hanging() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async with opened(FakeRouter(network(), [TextPiece("Some"), fail])) as screen:
        await screen.ask("Why?")
        await screen.until_shown("Some", "✕ This program could not read the answer.")


async def test_an_endless_answer_ends_at_the_limit() -> None:
    router = FakeRouter(network(), [TextPiece("x" * 50_000)] * 9)
    async with opened(router) as screen:
        await screen.ask("Go on")
        await screen.until_shown("cut at the length limit")
        assert len(screen.answer.text) == MAX_ANSWER_CHARS
    assert router.closed_early == 1


async def test_the_second_question_brings_the_first_along() -> None:
    router = FakeRouter(network(), [TextPiece("One."), END])
    async with opened(router) as screen:
        await screen.ask("First?")
        await screen.until_shown("✓ llama3.2:3b")
        await screen.ask("Second?")
        await screen.until(lambda: screen.answer.ended and len(router.bodies) == 2, "answered")
    assert [m.content for m in router.bodies[1].messages] == ["First?", "One.", "Second?"]


async def test_a_question_waits_in_the_prompt_while_an_answer_comes_in() -> None:
    router = FakeRouter(network(), [TextPiece("Slow"), asyncio.Event()])
    async with opened(router) as screen:
        await screen.ask("First?")
        await screen.until_shown("Slow")
        await screen.ask("Second?")
        await screen.until_shown("The answer is still coming in; esc stops it.")
        assert screen.prompt.text == "Second?"
        await screen.press("!")
        await screen.until_gone("still coming in")
    assert len(router.bodies) == 1


async def test_without_a_model_the_draft_stays() -> None:
    async with opened(FakeRouter(network(models=()))) as screen:
        await screen.until_shown("No model is online now.")
        await screen.ask("Anyone?")
        await screen.until_shown("! No model is online now. Your text stays here.")
        assert screen.prompt.text == "Anyone?"


async def test_a_model_is_picked_by_typing_and_used() -> None:
    router = FakeRouter(network(), [TextPiece("Hi"), END])
    async with opened(router) as screen:
        await screen.press("ctrl+t")
        await screen.until_shown("Models online", "gemma3:1b", "3 nodes, all busy")
        await screen.press(*"8b think")
        await screen.until_gone("gemma3:1b")
        await screen.press("enter")
        await screen.until_shown("qwen3:8b · 8.2B Q4_K_M · 40k context")
        await screen.press("ctrl+o")
        await screen.until_shown("thinking on")
        await screen.ask("Hello")
        await screen.until_shown("✓ qwen3:8b")
    assert (router.bodies[0].model, router.bodies[0].think) == ("qwen3:8b", True)


async def test_the_picker_follows_the_network_and_can_be_left() -> None:
    router = FakeRouter(network())
    async with opened(router, tab="network") as screen:
        await screen.press("f2", "ctrl+t")
        await screen.until_shown("Models online")
        await screen.press(*"nothing like this")
        await screen.until_shown("No model matches.")
        await screen.press("escape")
        await screen.until_gone("Models online")
        assert screen.prompt.has_focus


async def test_a_suggestion_goes_into_the_prompt() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.until_shown("5 nodes share 3 models right now.")
        await screen.pilot.click("Suggestion")
        await screen.until(lambda: screen.prompt.text, "suggestion taken")
        assert screen.prompt.text.startswith("Explain how a Bloom filter works")
        assert screen.prompt.has_focus


async def test_the_answer_is_copied_as_it_was_sent() -> None:
    async with opened(FakeRouter(network(), [TextPiece("**Bold** move"), END])) as screen:
        await screen.ask("Hello")
        await screen.until_shown("✓ llama3.2:3b")
        await screen.press("ctrl+y")
        await screen.until_shown("Copied the answer: 13 characters.")
        assert screen.app.clipboard == "**Bold** move"


async def test_leaving_cancels_the_running_answer() -> None:
    router = FakeRouter(network(), [TextPiece("Slow"), asyncio.Event()])
    async with opened(router) as screen:
        await screen.ask("First?")
        await screen.until_shown("Slow")
        screen.app.exit()
    assert router.closed_early == 1


async def test_drawing_that_fails_falls_back_to_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(self: AnswerMarkdown, text: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(AnswerMarkdown, "finish", broken)
    async with opened(FakeRouter(network(), [TextPiece("**Bold**"), END])) as screen:
        await screen.ask("Hello")
        await screen.until_shown("**Bold**", "✓ llama3.2:3b")


async def test_an_answer_goes_on_while_another_tab_is_open() -> None:
    gate = asyncio.Event()
    router = FakeRouter(network(), [TextPiece("Begun"), gate, TextPiece(" and done."), END])
    async with opened(router) as screen:
        await screen.ask("Why?")
        await screen.until_shown("Begun")
        await screen.press("f3")
        gate.set()
        await screen.until(lambda: screen.answer.ended, "answered")
        await screen.press("f2")
        await screen.until_shown("Begun and done.", "✓ llama3.2:3b", "^r again")


async def test_an_answer_without_an_end_does_not_hang() -> None:
    async with opened(FakeRouter(network(), [TextPiece("Only this")])) as screen:
        await screen.ask("Why?")
        await screen.until_shown("Only this", "✕ This program could not read the answer.")


async def test_ages_are_told_while_waiting() -> None:
    clock = FakeClock()
    router = FakeRouter(network(), [asyncio.Event()])
    async with opened(router, clock=clock) as screen:
        await screen.ask("Why?")
        await screen.until_shown("waiting for the first token · 0 s")
        clock.now += 7
        await screen.until_shown("waiting for the first token · 7 s")
