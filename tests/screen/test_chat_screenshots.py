"""The states of an answer in the Chat tab as they look, byte by byte."""

import asyncio

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.errors import NoNode, RateLimited, RouterRefused, RouterUnreachable
from idleclaw_tui.router.chat_updates import Finished, TextPiece, ThinkingPiece, Waiting
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import SERVER, FakeRouter, Step, network
from tests.screen.shooting import SIZES, Shoot, Size, still

ANSWER = """A **lifetime** is the span of code in which a reference is valid.

```rust
fn longest<'a>(x: &'a str, y: &'a str) -> &'a str {
    if x.len() > y.len() { x } else { y }
}
```

1. `'a` names a lifetime; it does not *change* one.
2. The result lives as long as the **shorter** of both.
"""
END = Finished(
    "stop",
    Usage(prompt_tokens=20, completion_tokens=412, total_tokens=432),
    Timings(queued=0.4, first_token=0.9, total=12.0, tokens_per_second=38.2),
)


async def asked(screen: Screen, *shown: str) -> None:
    """Ask a question and wait for what is to be shown then."""
    screen.prompt.cursor_blink = False
    await screen.ask("How do lifetimes work in Rust?")
    await screen.until_shown(*shown)


@SIZES
async def test_chat_empty(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network()), size) as screen:
        name = still(screen, size, "chat-empty")
        await screen.until_shown("5 nodes share 3 models", "llama3.2:3b · 3.2B")
        screenshot(screen, name)


@SIZES
async def test_chat_waiting(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [Waiting("queued", 2, 6.0), asyncio.Event()])
    async with opened(router, size) as screen:
        await asked(screen, "2nd in line", "esc stop")
        screenshot(screen, still(screen, size, "chat-waiting"))


@SIZES
async def test_chat_loading(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [Waiting("loading"), asyncio.Event()])
    async with opened(router, size) as screen:
        await asked(screen, "loading the model", "esc stop")
        screenshot(screen, still(screen, size, "chat-loading"))


@SIZES
async def test_chat_thinking(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [ThinkingPiece("Lifetimes are regions."), asyncio.Event()])
    async with opened(router, size) as screen:
        await asked(screen, "thinking", "esc stop")
        screenshot(screen, still(screen, size, "chat-thinking"))


@SIZES
async def test_chat_streaming(screenshot: Shoot, size: Size) -> None:
    clock = FakeClock()

    def seconds_pass() -> None:
        clock.now += 3.0

    script: list[Step] = [TextPiece(ANSWER[:80]), seconds_pass, TextPiece(ANSWER[80:190])]
    router = FakeRouter(network(), [*script, asyncio.Event()])
    async with opened(router, size, clock=clock) as screen:
        await asked(screen, "2 tokens", "esc stops")
        screenshot(screen, still(screen, size, "chat-streaming"))


@SIZES
async def test_chat_finished(screenshot: Shoot, size: Size) -> None:
    async with opened(FakeRouter(network(), [TextPiece(ANSWER), END]), size) as screen:
        await asked(screen, "412 tokens", "^r again")
        screenshot(screen, still(screen, size, "chat-finished"))


@SIZES
async def test_chat_cut(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [TextPiece(ANSWER), Finished("error", error="The node left.")])
    async with opened(router, size) as screen:
        await asked(screen, "✕ The node left.", "^g continue")
        screenshot(screen, still(screen, size, "chat-cut"))


@SIZES
async def test_chat_unreachable(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [RouterUnreachable(SERVER, "refused")])
    async with opened(router, size) as screen:
        await asked(screen, "✕ No router", "esc gives up")
        screenshot(screen, still(screen, size, "chat-unreachable"))


@SIZES
async def test_chat_rate_limited(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [RateLimited(429, retry_after=24)])
    async with opened(router, size) as screen:
        await asked(screen, "again in 24 s")
        screenshot(screen, still(screen, size, "chat-rate-limited"))


@SIZES
async def test_chat_filtered(screenshot: Shoot, size: Size) -> None:
    router = FakeRouter(network(), [RouterRefused(400, "its filter found something")])
    async with opened(router, size) as screen:
        await asked(screen, "✕ The router refused", "again")
        screenshot(screen, still(screen, size, "chat-filtered"))


@SIZES
async def test_chat_model_gone(screenshot: Shoot, size: Size) -> None:
    near = ("llama3.2:3b", "llama3.2:1b")
    router = FakeRouter(network(), [NoNode("llama3.1:8b", nearest=near)])
    async with opened(router, size) as screen:
        screen.chat.use_model("llama3.1:8b")
        await screen.until_shown("llama3.1:8b · not online now")
        await asked(screen, "✕ No node offers", "^t another model")
        screenshot(screen, still(screen, size, "chat-model-gone"))
