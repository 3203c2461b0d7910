"""The programs that `tests.bench.chat` measures: the app, and the plainest way to do the same.

    python -m tests.bench.chat_subjects URL --earlier 500
    python -m tests.bench.chat_subjects URL --naive

`--earlier` is how many messages the conversation has before. The naive one appends each token to
Textual's own Markdown through its own `MarkdownStream`. Both show the name of the model when a
question can be asked, ask it over HTTP when Enter is pressed, and show `ENDED` at the end.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown, Static, TextArea

from idleclaw_protocol.chat import ChatBody, ChatMessage
from idleclaw_tui.node.feed import NodeFeed
from idleclaw_tui.router.chat_updates import Finished, TextPiece
from idleclaw_tui.router.client import RouterClient
from idleclaw_tui.screen import app
from idleclaw_tui.screen.app import IdleClawApp
from idleclaw_tui.screen.garbage_pauses import shorten_pauses
from idleclaw_tui.screen.tabs.chat import ChatTab
from idleclaw_tui.sharing.local_sharing import LocalSharing

MODEL = "tiny:1b"
QUESTION = "Tell me everything."
ENDED = "first token 0.5 s"

SECTIONS = (
    "## About the number {n}\n\nA **paragraph** with `code`, *emphasis* and a "
    "[link](https://example.com/{n}) that goes on for a while, as answers do, so that it is "
    "wrapped at the width of the screen at least once before it ends.\n\n",
    "1. The first point of {n}\n2. The second, which is a little longer\n   - with a detail\n"
    "   - and another one\n3. The **third**\n\n",
    "```python\ndef value_{n}(items: list[int]) -> int:\n    total = 0\n    for item in items:\n"
    "        total += item * {n}\n    return total\n```\n\n",
    "| name | value | remark |\n|---|---:|---|\n| a{n} | {n} | fine |\n| b | 2 | *better* |\n\n",
    "> A quotation, of two lines\n> as they are written.\n\nAnd a plain paragraph after it, "
    "without anything in it that would have to be drawn in another way than the rest.\n\n",
)


def answer(number: int) -> str:
    """Return a part of an answer that has some of everything."""
    return "".join(section.format(n=number) for section in SECTIONS)


def fill(screen: IdleClawApp, messages: int) -> None:
    """Put a conversation into the transcript that is open."""
    transcript = screen.screen_stack[0].query_one(ChatTab).conversation.transcript
    for number in range(messages // 2):
        exchange = transcript.ask(f"Question {number}?", MODEL, 0.0)
        exchange.answer.apply(TextPiece(answer(number)), 0.0)
        exchange.answer.apply(Finished("stop"), 0.0)


class Measured(IdleClawApp):
    """The app, with something to look back on."""

    CSS_PATH = str(Path(app.__file__).with_name("app.tcss"))

    def __init__(self, url: str, messages: int) -> None:
        super().__init__(RouterClient(url), LocalSharing(NodeFeed(), url), url)
        self._messages = messages

    def on_ready(self) -> None:
        """Fill the conversation."""
        fill(self, self._messages)


class Naive(App[None]):
    """Each token goes to Textual's Markdown as it comes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "ask", "Ask", priority=True)]
    CSS = "TextArea { height: 5; } Static { height: 1; } VerticalScroll { height: 1fr; }"

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def compose(self) -> ComposeResult:
        """Lay out answer, state and prompt."""
        with VerticalScroll():
            yield Markdown()
        yield Static(MODEL)
        yield TextArea()

    def on_ready(self) -> None:
        """Wait for keys in the prompt."""
        self.query_one(TextArea).focus()
        self.query_one(VerticalScroll).anchor()

    def action_ask(self) -> None:
        """Ask what was written."""
        self.query_one(TextArea).clear()
        self._stream()

    @work
    async def _stream(self) -> None:
        stream = Markdown.get_stream(self.query_one(Markdown))
        body = ChatBody(model=MODEL, messages=(ChatMessage(role="user", content=QUESTION),))
        async with RouterClient(self._url) as client:
            async for update in client.chat(body):
                if isinstance(update, TextPiece):
                    await stream.write(update.text)
        await stream.stop()
        self.query_one(Static).update(ENDED)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the programs on this terminal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--earlier", type=int, default=0)
    parser.add_argument("--naive", action="store_true")
    options = parser.parse_args(arguments)
    if options.naive:
        Naive(options.url).run()
    else:
        shorten_pauses()
        Measured(options.url, options.earlier).run()


if __name__ == "__main__":
    main()
