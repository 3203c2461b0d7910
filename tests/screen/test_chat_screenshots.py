"""The states of the Chat tab as they look, byte by byte."""

import asyncio

from textual.widgets import Input

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.chat_updates import Finished, TextPiece, Waiting
from tests.screen.driving import FakeClock, Screen, opened
from tests.screen.fakes import FakeRouter, Step, network
from tests.screen.shooting import LARGE, SIZES, Shoot, Size, still

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


async def test_chat_waiting(screenshot: Shoot) -> None:
    router = FakeRouter(network(), [Waiting("queued", 2, 6.0), asyncio.Event()])
    async with opened(router, LARGE) as screen:
        await asked(screen, "2nd in line · about 6 s", "esc stop")
        screenshot(screen, still(screen, LARGE, "chat-waiting"))


async def test_chat_cut(screenshot: Shoot) -> None:
    router = FakeRouter(network(), [TextPiece(ANSWER), Finished("error", error="The node left.")])
    async with opened(router, LARGE) as screen:
        await asked(screen, "✕ The node left.", "^y copy")
        screenshot(screen, still(screen, LARGE, "chat-cut"))


async def test_model_picker(screenshot: Shoot) -> None:
    async with opened(FakeRouter(network()), LARGE) as screen:
        still(screen, LARGE, "")
        await screen.press("ctrl+t")
        await screen.until_shown("Models online", "all busy")
        screen.app.screen.query_one(Input).cursor_blink = False
        await screen.pilot.pause()
        screenshot(screen, "model-picker-120x40")
