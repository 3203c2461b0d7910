"""`idleclaw-tui local`: the terminal UI, or one answer, on a network of this machine alone."""

import asyncio
import sys

from idleclaw_tui.errors import UsageError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.answer_output import Talk
from idleclaw_tui.headless.consume import consume
from idleclaw_tui.local.background import background_network
from idleclaw_tui.local.network import local_network
from idleclaw_tui.user_input import STDIN, read_prompt


def run_local(ollama_url: str, *, prompt: str | None, model: str | None, mouse: bool = True) -> int:
    """Open the terminal UI on the embedded network; return the exit status of the process.

    With a `prompt` ("-" reads stdin), or where stdout is no terminal, one answer is printed
    instead.

    Raises:
        IdleClawError: the network did not start, or nothing was asked.
    """
    if prompt is None and sys.stdout.isatty() and sys.stdin.isatty():
        return _screen(ollama_url, mouse=mouse)
    if prompt is None and sys.stdin.isatty():
        raise UsageError(
            "Without a terminal to draw on, say what to ask: idleclaw-tui local --prompt TEXT."
        )
    text = read_prompt(STDIN if prompt is None else prompt, sys.stdin)
    return asyncio.run(_answer_once(ollama_url, text, model))


def _screen(ollama_url: str, *, mouse: bool) -> int:
    from idleclaw_tui.node.feed import NodeFeed
    from idleclaw_tui.screen.full_screen import run_app

    feed = NodeFeed()
    sys.stderr.write("Starting a network on this machine …\n")
    with background_network(ollama_url, feed.publish) as network:
        return run_app(
            network.server, network.ollama_url, label=network.label, own_node=feed, mouse=mouse
        )


async def _answer_once(ollama_url: str, prompt: str, model: str | None) -> ExitCode:
    async with local_network(ollama_url, lambda event: None) as network:
        return await consume(
            network.server,
            model=model,
            prompt=prompt,
            think=False,
            json_object=False,
            stdout=sys.stdout,
            talk=Talk(sys.stderr, sys.stderr.isatty(), False, False),
        )
