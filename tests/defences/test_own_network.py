"""The embedded network serves one machine, and is not what an operator's variables are about."""

import pytest

from idleclaw_tui.local.network import local_network
from tests.defences.running import at
from tests.fake_ollama import FakeModel, FakeOllama
from tests.router.consumer import Answer


@pytest.fixture(autouse=True)
def _operators_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDLECLAW_CHATS_PER_MINUTE", "nonsense")
    monkeypatch.setenv("IDLECLAW_HOST", "192.0.2.1")
    monkeypatch.setenv("IDLECLAW_PROMPT_SAFETY", "of the operator's other router")
    monkeypatch.setenv("IDLECLAW_COUNTERS_FILE", "/nowhere/counters.json")


async def test_nobody_is_limited_and_nothing_is_added() -> None:
    messages = [{"role": "user", "content": f"m{number}"} for number in range(30)]
    async with FakeOllama(models=[FakeModel("mine:1b")]) as ollama:
        async with local_network(ollama.url, lambda event: None) as network:
            async with at(network.server) as http:
                for _ in range(70):
                    assert (await http.get("/health")).status_code == 200
                for _ in range(25):
                    body = {"model": "mine:1b", "messages": messages}
                    async with http.stream("POST", "/api/chat", json=body) as response:
                        assert response.status_code == 200
                        await Answer(response).rest()
        chat = await ollama.chat(24)
    assert chat.body["messages"] == messages
