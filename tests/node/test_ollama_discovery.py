"""Finding out what an Ollama has, over real sockets."""

from collections.abc import AsyncIterator

import pytest

from idleclaw_tui.ollama.bridge import OllamaBridge
from tests.fake_ollama import FakeModel, FakeOllama

MODEL = "smollm2:135m"


@pytest.fixture
async def bridge(ollama: FakeOllama) -> AsyncIterator[OllamaBridge]:
    async with OllamaBridge(ollama.url) as opened:
        yield opened


async def test_discovery_offers_what_can_chat_largest_first(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.models += [
        FakeModel("embed:1b", size=10**12, capabilities=("embedding",)),
        FakeModel("gpt-oss:120b-cloud", size=10**12),
        FakeModel("stub:1b", size=10**12, remote_host="https://ollama.com"),
    ]
    models = await bridge.models()
    assert [model.name for model in models] == ["big:8b", MODEL]
    assert models[1].digest == ollama.models[0].digest
    assert models[1].context_length == 4096
    assert models[1].capabilities == ("completion",)
    assert await bridge.version() == "0.33.0"


async def test_discovery_offers_twenty_models_at_most(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.models = [FakeModel(f"m{n}:1b", size=n) for n in range(30)]
    assert [model.size for model in await bridge.models()] == list(range(29, 9, -1))


async def test_discovery_asks_about_a_model_once_for_each_digest(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    def shows() -> int:
        return sum(request.path == "/api/show" for request in ollama.requests)

    await bridge.models()
    await bridge.models()
    assert shows() == 2
    ollama.models[0] = FakeModel(digest="f" * 64)
    assert (await bridge.models())[1].digest == "f" * 64
    assert shows() == 3


async def test_a_model_in_memory_is_offered_with_the_context_it_has_there(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    await bridge.models()
    ollama.models[0] = FakeModel(context_length=2048)
    assert (await bridge.models())[1].context_length == 4096
    ollama.loaded = [MODEL]
    assert [model.name for model in await bridge.loaded()] == [MODEL]
    ollama.loaded = []
    assert (await bridge.models())[1].context_length == 2048


async def test_a_model_that_cannot_be_shown_loses_only_itself(
    ollama: FakeOllama, bridge: OllamaBridge
) -> None:
    ollama.refusals["/api/show"] = (500, "broken manifest")
    ollama.refusals["/api/ps"] = (404, "page not found")
    assert await bridge.models() == ()
    del ollama.refusals["/api/show"]
    assert len(await bridge.models()) == 2
