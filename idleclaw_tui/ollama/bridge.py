"""What a node asks of its Ollama: its version, its models, and answers piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, suppress
from typing import Final, Self

from pydantic import Field, ValidationError
from pydantic_core import to_json

from idleclaw_protocol.frames import Chunk, OfferedModel
from idleclaw_protocol.limits import MAX_MODELS_PER_NODE
from idleclaw_tui.ollama import failures
from idleclaw_tui.ollama.failures import OllamaFailure
from idleclaw_tui.ollama.http import DEFAULT_TIMEOUTS, BridgeTimeouts, OllamaHttp
from idleclaw_tui.ollama.offered_models import (
    ListedModel,
    LoadedModel,
    ShownModel,
    candidates,
    offered_model,
    read_listed,
    read_loaded,
    read_shown,
    with_context,
)
from idleclaw_tui.ollama.relay_guard import GuardedRequest

MAX_MODELS_ASKED: Final = 200
"""How many of the models, from the largest, are asked about in one discovery."""
END_SECONDS: Final = 1.0
"""How long Ollama may take to end a stream after its last line."""


class _Line(Chunk):
    """One line of a stream; an error line has nothing but its text."""

    error: str | None = Field(default=None, exclude=True)


class OllamaBridge:
    """The Ollama at the base URL `url`; every method raises `OllamaFailure` and nothing else.

    Use as `async with OllamaBridge(url)`, or call `aclose`. Raises `UsageError` where `url` is no
    URL.
    """

    def __init__(self, url: str, timeouts: BridgeTimeouts = DEFAULT_TIMEOUTS) -> None:
        self._http = OllamaHttp(url, timeouts)
        self._shown: dict[tuple[str, str | None], ShownModel] = {}
        self._running_context: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what connections there are."""
        await self._http.aclose()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self._http.url

    async def version(self) -> str:
        """Return Ollama's version, as in "0.33.0"."""
        version = (await self._http.json("GET", "/api/version")).get("version")
        if not isinstance(version, str):
            raise failures.not_ollama(self.url)
        return version

    async def models(
        self,
        chosen: Collection[str] | None = None,
        context_tokens: int | None = None,
        *,
        most: int = MAX_MODELS_PER_NODE,
    ) -> tuple[OfferedModel, ...]:
        """Return the models to offer, of those `chosen`: the largest that can chat, in order.

        They are at most as many as a node may offer, unless `most` says otherwise.

        No context is said to be larger than `context_tokens`, where that is given. A model's
        description is asked for once for each digest; the context Ollama gave it is kept from when
        it was seen in memory.
        """
        listed = read_listed((await self._http.json("GET", "/api/tags")).get("models"))
        await self._note_running()
        known = {(model.name, model.digest) for model in listed}
        self._shown = {key: shown for key, shown in self._shown.items() if key in known}
        names = {model.name for model in listed}
        self._running_context = {n: c for n, c in self._running_context.items() if n in names}
        offered: list[OfferedModel] = []
        for model in candidates(listed, chosen)[:MAX_MODELS_ASKED]:
            shown = await self._show(model)
            described = shown and offered_model(model, shown, self._running_context.get(model.name))
            if described:
                offered.append(described)
            if len(offered) >= most:
                break
        return with_context(offered, context_tokens)

    async def loaded(self) -> tuple[LoadedModel, ...]:
        """Return the models in memory (/api/ps)."""
        running = read_loaded((await self._http.json("GET", "/api/ps")).get("models"))
        for model in running:
            if model.context_length:
                self._running_context[model.name] = model.context_length
        return tuple(running)

    async def chat(self, request: GuardedRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the pieces of the answer up to the one that says `done`.

        Closing the generator, or cancelling the task that waits in it, closes the connection at
        once, before the first token too; that is how Ollama is told to stop. A stream that ends
        without `done` fails like every other.
        """
        async with aclosing(self._http.lines("/api/chat", request.body)) as lines:
            async for line in lines:
                chunk = _chunk(line)
                yield chunk
                if chunk.done:
                    await _end(lines)
                    return
        raise OllamaFailure("failed", failures.BROKEN_OFF)

    async def load(self, model: str) -> None:
        """Bring a model into memory, for as long as Ollama keeps models by itself."""
        async with aclosing(self._http.lines("/api/chat", to_json({"model": model}))) as lines:
            async for line in lines:
                if _chunk(line).done:
                    return
        raise OllamaFailure("failed", failures.BROKEN_OFF)

    async def _note_running(self) -> None:
        """Learn the contexts of the models in memory, from an Ollama that can tell."""
        try:
            await self.loaded()
        except OllamaFailure as failure:
            if failure.cause == "unreachable":
                raise

    async def _show(self, model: ListedModel) -> ShownModel | None:
        """Return what is known of a model, None where it went away or tells nothing usable."""
        key = (model.name, model.digest)
        if key not in self._shown:
            try:
                answer = await self._http.json("POST", "/api/show", {"model": model.name})
            except OllamaFailure as failure:
                if failure.cause == "unreachable":
                    raise
                return None
            shown = read_shown(answer)
            if shown is None:
                return None
            self._shown[key] = shown
        return self._shown[key]


async def _end(lines: AsyncGenerator[bytes, None]) -> None:
    """Let Ollama end the stream by itself, so that it sees no client that left too early."""
    with suppress(TimeoutError, OllamaFailure):
        async with asyncio.timeout(END_SECONDS):
            async for _ in lines:
                continue


def _chunk(line: bytes) -> Chunk:
    try:
        chunk = _Line.model_validate_json(line)
    except ValidationError:
        raise OllamaFailure("failed", failures.MALFORMED) from None
    if chunk.error is not None:
        raise OllamaFailure("failed", failures.ERROR_LINE)
    return chunk
