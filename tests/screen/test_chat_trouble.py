"""What goes wrong while asking is a state of the transcript, and says what helps."""

import pytest

from idleclaw_tui.errors import (
    IdleClawError,
    NoNode,
    RateLimited,
    RouterRefused,
    RouterUnreachable,
)
from idleclaw_tui.router.chat_updates import Finished, TextPiece
from tests.screen.driving import FakeClock, opened
from tests.screen.fakes import GEMMA, LLAMA, QWEN, SERVER, FakeRouter, network

END = Finished("stop")
GONE = RouterUnreachable(SERVER, "refused")


async def test_an_unreachable_router_is_asked_again_when_the_countdown_ends() -> None:
    clock = FakeClock()
    router = FakeRouter(network(), [GONE])
    async with opened(router, clock=clock) as screen:
        await screen.ask("Anyone?")
        await screen.until_shown("✕ No router answers", "retrying in 2 s · esc gives up")
        clock.now += 1.0
        await screen.until_shown("retrying in 1 s")
        clock.now += 1.0
        await screen.until_shown("retrying in 4 s")
        router.script = [TextPiece("Here."), END]
        clock.now += 4.0
        await screen.until_shown("Here.", "✓ llama3.2:3b")
        assert "No router" not in screen.text
    assert [body.messages[-1].content for body in router.bodies] == ["Anyone?"] * 3


async def test_escape_gives_up_the_attempts_and_the_question_stays() -> None:
    clock = FakeClock()
    router = FakeRouter(network(), [GONE])
    async with opened(router, clock=clock) as screen:
        await screen.ask("Anyone?")
        await screen.until_shown("retrying in 2 s")
        await screen.press("escape")
        await screen.until_gone("retrying in")
        clock.now += 100.0
        await screen.until_shown("^r again")
        assert "Anyone?" in screen.text
        await screen.press("ctrl+e")
        assert screen.prompt.text == "Anyone?"
    assert len(router.bodies) == 1


async def test_the_wait_of_a_rate_limit_counts_down_and_then_offers() -> None:
    clock = FakeClock()
    router = FakeRouter(network(), [RateLimited(429, retry_after=30)])
    async with opened(router, clock=clock) as screen:
        await screen.ask("Too fast?")
        await screen.until_shown("✕ The router has had too many requests", "again in 30 s")
        clock.now += 12.0
        await screen.until_shown("again in 18 s")
        clock.now += 18.0
        await screen.until_shown("^r again now")
        assert len(router.bodies) == 1, "the router counts the attempts, so none is made unasked"
        router.script = [TextPiece("Fine."), END]
        await screen.press("ctrl+r")
        await screen.until_shown("Fine.")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            NoNode("llama3.2:3b", nearest=("llama3.1:8b",)),
            ["No node offers llama3.2:3b now. Near it: llama3.1:8b.", "^t another model"],
        ),
        (
            RouterRefused(400, "the content filter found something"),
            ["✕ The router refused: the content filter found something.", "^e edit"],
        ),
    ],
)
async def test_a_refusal_stays_in_the_transcript_with_its_keys(
    error: IdleClawError, shown: list[str]
) -> None:
    router = FakeRouter(network(), [error])
    async with opened(router, (120, 30)) as screen:
        await screen.ask("Well?")
        await screen.until_shown(*shown)
        await screen.press("ctrl+e")
        assert screen.prompt.text == "Well?", "the words can be had back"


async def test_a_chosen_model_that_leaves_is_said_with_what_is_near() -> None:
    other = LLAMA.model_copy(update={"name": "llama3.1:8b"})
    router = FakeRouter(network(), [NoNode("llama3.2:3b", nearest=("llama3.1:8b",))])
    async with opened(router) as screen:
        screen.chat.use_model("llama3.2:3b")
        await screen.until_shown("llama3.2:3b · 3.2B")
        router.page = network((other, QWEN, GEMMA))
        await screen.ask("Still there?")
        await screen.until_shown(
            "✕ No node offers llama3.2:3b now. Near it: llama3.1:8b.",
            "llama3.2:3b · not online now · near it: llama3.1:8b",
        )
        await screen.press("ctrl+t")
        await screen.until_shown("Models online", "qwen3:8b")
        await screen.press(*"3.1", "enter")
        await screen.until_shown("llama3.1:8b · 3.2B")
        router.script = [TextPiece("Here."), END]
        await screen.press("ctrl+r")
        await screen.until_shown("Here.", "✓ llama3.1:8b")
    assert [body.model for body in router.bodies] == ["llama3.2:3b", "llama3.1:8b"]
