"""Sharing from a real terminal: a real router, the tab's own node, an Ollama that is recorded."""

import json
import sys
from contextlib import aclosing
from pathlib import Path

from idleclaw_protocol.chat import ChatBody, ChatMessage
from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings
from idleclaw_tui.router.chat_updates import Finished
from idleclaw_tui.router.client import RouterClient
from tests.fake_ollama import FakeModel, FakeOllama
from tests.screen.test_tmux import Terminal, terminal
from tests.waiting import wait_until

__all__ = ["terminal"]

PROGRAM = (
    "XDG_CONFIG_HOME={home} XDG_STATE_HOME={home} OLLAMA_HOST={ollama} "
    "{python} -m idleclaw_tui --server {url}; echo ended=$?"
)


async def finish_reason(server: str, model: str) -> str | None:
    """Ask as a consumer does, and return how the answer ended."""
    body = ChatBody(model=model, messages=(ChatMessage(role="user", content="Hello?"),))
    async with RouterClient(server) as router, aclosing(router.chat(body)) as answer:
        last = [update async for update in answer][-1]
    assert isinstance(last, Finished)
    return last.reason


async def test_sharing_from_the_checklist_to_the_last_answer(
    terminal: Terminal, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    file = home / "idleclaw" / "sharing.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"mode": "manual", "guards": {"battery": false, "memory": null}}')
    router_settings = Settings.model_construct(host="127.0.0.1", port=0, address_limits=False)
    models = [FakeModel("big:8b", size=10**10), FakeModel("small:1b")]
    async with running_router(router_settings) as router, FakeOllama(models) as ollama:
        start = PROGRAM.format(home=home, ollama=ollama.url, python=sys.executable, url=router.url)
        await terminal.keys(start, "Enter")
        await terminal.until("0 nodes")
        await terminal.keys("F4")
        await terminal.until("2 models to share")
        await terminal.keys("m", "Space")
        await terminal.until("[ ] big:8b")
        await wait_until(lambda: "models" in json.loads(file.read_text()), "the choice on the disk")
        assert json.loads(file.read_text())["models"] == ["small:1b"]
        await terminal.keys("BTab", "Space")
        await terminal.until("ready, nobody asks")
        assert await finish_reason(router.url, "small:1b") == "stop"
        await terminal.until("✓ done")
        await terminal.keys("x")
        await terminal.until("NOT SHARING")
        await terminal.keys("C-q")
        await terminal.until("ended=0")
    assert {chat.body["model"] for chat in ollama.chats} == {"small:1b"}
    assert not any("keep_alive" in str(request.body) for request in ollama.requests)
