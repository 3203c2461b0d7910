"""The three tabs on a light ground, byte by byte."""

import pytest

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.router.chat_updates import Finished, TextPiece
from idleclaw_tui.screen.themes import LIGHT
from idleclaw_tui.screen.widgets.top_bar import TabName
from tests.screen.driving import opened
from tests.screen.fakes import FakeRouter, network
from tests.screen.shooting import LARGE, Shoot, still

ANSWER = """Both are **ownership** at work.

| who | may |
|---|---|
| one `&mut T` | read and write |
| many `&T` | read |

> The compiler checks it, nothing at run time does.
"""
END = Finished(
    "stop",
    Usage(prompt_tokens=20, completion_tokens=96, total_tokens=116),
    Timings(queued=0.0, first_token=0.6, total=3.1, tokens_per_second=38.2),
)
SHOWN: dict[TabName, tuple[str, ...]] = {
    "chat": ("96 tokens",),
    "network": ("llama3.2:3b", "amber-otter"),
    "contribute": ("✓ Ollama 0.12.6", "✓ Router"),
}


@pytest.mark.parametrize("tab", SHOWN)
async def test_the_tabs_on_a_light_ground(screenshot: Shoot, tab: TabName) -> None:
    async with opened(FakeRouter(network(), [TextPiece(ANSWER), END]), LARGE) as screen:
        screen.app.theme = LIGHT.name
        screen.prompt.cursor_blink = False
        await screen.ask("Who may write to a value in Rust?")
        await screen.until_shown("96 tokens")
        screen.app.action_tab(tab)
        await screen.until_shown(*SHOWN[tab])
        screenshot(screen, still(screen, LARGE, f"light-{tab}"))
