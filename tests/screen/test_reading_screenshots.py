"""Long and manifold answers as they look, byte by byte."""

import asyncio

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.router.chat_updates import Finished, TextPiece, ThinkingPiece
from tests.screen.driving import opened
from tests.screen.fakes import FakeRouter, Step, network
from tests.screen.shooting import SIZES, Shoot, Size, still

BEGIN = """## Longest common prefix

Two ways, the **first** short and the *second* quick; see [the manual](https://docs.python.org/3/).

"""
CODE = """```python
def prefix(words: list[str]) -> str:
    shortest = min(words, key=len)
    for index, letter in enumerate(shortest):
        if any(word[index] != letter for word in words):
            return shortest[:index]
    return shortest
```

"""
REST = """| way | time | remark |
|:----|-----:|:-------|
| scan | O(n·m) | no copies |
| `os.path.commonprefix` | O(n·m) | sorts first |

> It compares *characters*, not parts of paths.

1. Install nothing.
2. Run it:
   - once for all,
   - or each time.

```sh
python -m prefix flower flow flight
```
"""
END = Finished(
    "stop",
    Usage(completion_tokens=287),
    Timings(queued=0.0, first_token=0.7, total=8.0, tokens_per_second=38.2),
)


@SIZES
async def test_code_is_numbered(screenshot: Shoot, size: Size) -> None:
    script: list[Step] = [
        ThinkingPiece("Two ways come to mind."),
        TextPiece(BEGIN + CODE + REST),
        END,
    ]
    async with opened(FakeRouter(network(), script), size) as screen:
        screen.prompt.cursor_blink = False
        await screen.ask("Longest common prefix?")
        await screen.until_shown("✓ llama3.2:3b", "copy 2")
        screenshot(screen, still(screen, size, "chat-code"))


@SIZES
async def test_open_code_is_plain(screenshot: Shoot, size: Size) -> None:
    script: list[Step] = [TextPiece(BEGIN + CODE[:120]), asyncio.Event()]
    async with opened(FakeRouter(network(), script), size) as screen:
        screen.prompt.cursor_blink = False
        await screen.ask("Longest common prefix?")
        await screen.until_shown("● llama3.2:3b", "esc stops", "letter in")
        screenshot(screen, still(screen, size, "chat-code-open"))
