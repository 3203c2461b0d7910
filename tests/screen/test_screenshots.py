"""The main states as they look, byte by byte."""

import asyncio
from collections.abc import Callable

import pytest
from textual.widgets import Input

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.chat_updates import Finished, TextPiece, Waiting
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing
from idleclaw_tui.sharing import LinkChanged, ModelsChanged, NodeEvent, RequestChanged
from tests.screen.driving import FakeClock, Made, Screen, opened
from tests.screen.fakes import OFFERED, OLLAMA, FakeRouter, Step, network, ollama_with_models

Shoot = Callable[[Screen, str], None]
LARGE, SMALL = (100, 30), (40, 12)
SIZES = pytest.mark.parametrize("size", [LARGE, SMALL], ids=lambda size: f"{size[0]}x{size[1]}")

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


def still(screen: Screen, size: tuple[int, int], name: str) -> str:
    """Stop what moves by itself, and return the name of the picture."""
    screen.prompt.cursor_blink = False
    return f"{name}-{size[0]}x{size[1]}"


async def asked(screen: Screen, *shown: str) -> None:
    """Ask a question and wait for what is to be shown then."""
    screen.prompt.cursor_blink = False
    await screen.ask("How do lifetimes work in Rust?")
    await screen.until_shown(*shown)


@SIZES
async def test_chat_empty(screenshot: Shoot, size: tuple[int, int]) -> None:
    async with opened(FakeRouter(network()), size) as screen:
        name = still(screen, size, "chat-empty")
        await screen.until_shown("5 nodes share 3 models", "llama3.2:3b · 3.2B")
        screenshot(screen, name)


@SIZES
async def test_chat_streaming(screenshot: Shoot, size: tuple[int, int]) -> None:
    clock = FakeClock()

    def seconds_pass() -> None:
        clock.now += 3.0

    script: list[Step] = [TextPiece(ANSWER[:80]), seconds_pass, TextPiece(ANSWER[80:190])]
    router = FakeRouter(network(), [*script, asyncio.Event()])
    async with opened(router, size, clock=clock) as screen:
        await asked(screen, "2 tokens", "esc stops")
        screenshot(screen, still(screen, size, "chat-streaming"))


@SIZES
async def test_chat_finished(screenshot: Shoot, size: tuple[int, int]) -> None:
    async with opened(FakeRouter(network(), [TextPiece(ANSWER), END]), size) as screen:
        await asked(screen, "412 tokens", "^r again")
        screenshot(screen, still(screen, size, "chat-finished"))


async def test_chat_waiting(screenshot: Shoot) -> None:
    router = FakeRouter(network(), [Waiting("queued", 2, 6.0), asyncio.Event()])
    async with opened(router) as screen:
        await asked(screen, "2nd in line · about 6 s", "esc stop")
        screenshot(screen, still(screen, LARGE, "chat-waiting"))


async def test_chat_cut(screenshot: Shoot) -> None:
    router = FakeRouter(network(), [TextPiece(ANSWER), Finished("error", error="The node left.")])
    async with opened(router) as screen:
        await asked(screen, "✕ The node left.", "^y copy")
        screenshot(screen, still(screen, LARGE, "chat-cut"))


async def test_model_picker(screenshot: Shoot) -> None:
    async with opened(FakeRouter(network())) as screen:
        still(screen, LARGE, "")
        await screen.press("ctrl+t")
        await screen.until_shown("Models online", "all busy")
        screen.app.screen.query_one(Input).cursor_blink = False
        await screen.pilot.pause()
        screenshot(screen, "model-picker-100x30")


@SIZES
async def test_network(screenshot: Shoot, size: tuple[int, int]) -> None:
    async with opened(FakeRouter(network()), size, tab="network") as screen:
        await screen.until_shown("llama3.2:3b", "amber-otter")
        screenshot(screen, still(screen, size, "network"))


async def test_network_unreachable(screenshot: Shoot) -> None:
    clock, router = FakeClock(), FakeRouter(network())
    async with opened(router, tab="network", clock=clock) as screen:
        await screen.until_shown("llama3.2:3b", "amber-otter")
        clock.now += 60
        router.gone = True
        await screen.press("r")
        await screen.until_shown("as of 60 s ago", "Retrying in 2 s.", "unreachable")
        screenshot(screen, still(screen, LARGE, "network-unreachable"))


async def test_contribute_checklist(screenshot: Shoot) -> None:
    plan = LocalSharing(NodeFeed(), OLLAMA, Made(), ollama_with_models)
    async with opened(FakeRouter(network()), tab="contribute", sharing=plan) as screen:
        await screen.until_shown("✓ Ollama 0.12.6", "✓ Router")
        screenshot(screen, still(screen, LARGE, "contribute-checklist"))


@SIZES
async def test_contribute(screenshot: Shoot, size: tuple[int, int]) -> None:
    clock, made = FakeClock(), Made()
    plan = LocalSharing(NodeFeed(), OLLAMA, made, ollama_with_models, at_once=True)
    events: list[NodeEvent] = [
        LinkChanged("connected"),
        ModelsChanged(OFFERED, "0.12.6"),
        RequestChanged(1, "qwen3:8b", "done", 100.0, 24.9, 96, 512, 21.0),
        RequestChanged(2, "llama3.2:3b", "failed", 160.0, 4.2, 20, 0, None, "Ollama broke off."),
        RequestChanged(3, "llama3.2:3b", "streaming", 200.0, 6.1, 412, 233, 38.0),
    ]
    router = FakeRouter(network())
    async with opened(router, size, tab="contribute", sharing=plan, clock=clock) as screen:
        await screen.until_shown("ready, nobody asks")
        for event in events:
            made.nodes[0].tell(event)
        await screen.until_shown("serving 1 request", "streaming")
        clock.now += 700
        for tokens in (240, 262, 299, 342, 372, 410, 448):
            event = RequestChanged(3, "llama3.2:3b", "streaming", 200.0, 6.1, 412, tokens, 38.0)
            made.nodes[0].tell(event)
            clock.now += 1
            screen.contribute.follow()
            screen.contribute.sample_speed()
        await screen.until_shown("connected for 11 min", "448")
        screenshot(screen, still(screen, size, "contribute"))
