"""A network in which everything goes wrong all the time, against a router in its own process.

Nodes answer, fail, decline, send nonsense, fall silent, are killed and come back under the same id
or another; consumers read to the end, leave, stall or send bytes that are no HTTP. Each consumer
checks that what it gets is its own answer, in order, and that it ends or is cut.
"""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from idleclaw_protocol.frames import CANCEL_ACK, DECLINE

_MODELS: Final = ("chaos:1b", "chaos:2b", "chaos:3b")
# A request may wait 110 s for a slot and then twice 60 s for its first token.
_PATIENCE_SECONDS: Final = 240
_BAD_FRAMES: Final[tuple[str | bytes, ...]] = (
    "nonsense",
    "[" * 10_000,
    '{"type": "inference_chunk"}',
    '{"type": "heartbeat", "active_requests": []}',
    b"\x00",
    '{"type": "x", "y": NaN}',
)


@dataclass
class Chaos:
    """The load and its tally.

    Attributes:
        outcomes: how many consumers ended in which way.
        wrong: what no consumer may ever see; empty in a run that went well.
    """

    host: str
    port: int
    rate: float
    rng: random.Random
    nodes: int = 12
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    restarts: int = 0
    _consumers: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: bool = False

    async def run(self, seconds: float) -> None:
        """Bring load for `seconds`, then wait until every consumer has its end."""
        self._stopping = False
        nodes = [asyncio.ensure_future(self._node(number)) for number in range(self.nodes)]
        loop = asyncio.get_running_loop()
        started, asked = loop.time(), 0
        while (passed := loop.time() - started) < seconds:
            while asked < passed * self.rate:
                self._spawn(asked)
                asked += 1
            await asyncio.sleep(0.01)
        self._stopping = True
        if self._consumers:
            _, late = await asyncio.wait(self._consumers, timeout=_PATIENCE_SECONDS + 10)
            self.wrong += [f"{len(late)} consumers without an end"] if late else []
        for node in nodes:
            node.cancel()
        await asyncio.gather(*nodes, return_exceptions=True)

    # consumers

    def _spawn(self, number: int) -> None:
        task = asyncio.ensure_future(self._consumer(f"q{number}"))
        self._consumers.add(task)
        task.add_done_callback(self._consumers.discard)

    async def _consumer(self, prompt: str) -> None:
        habit = self.rng.choices(["read", "leave", "stall", "garbage"], [80, 12, 4, 4])[0]
        outcome = "refused connection"
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(self.host, self.port)
            try:
                writer.write(b"\x16\x03\x01" if habit == "garbage" else self._request(prompt))
                outcome = await self._read(reader, prompt, habit)
            except ConnectionError:
                outcome = "cut"
            finally:
                writer.transport.abort()
        self.outcomes[outcome] += 1

    def _request(self, prompt: str) -> bytes:
        message = {"role": "user", "content": prompt}
        raw = json.dumps({"model": self.rng.choice(_MODELS), "messages": [message]}).encode()
        head = "POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        return f"{head}content-length: {len(raw)}\r\n\r\n".encode() + raw

    async def _read(self, reader: asyncio.StreamReader, prompt: str, habit: str) -> str:
        patience = self.rng.uniform(0, 0.2) if habit == "leave" else _PATIENCE_SECONDS
        try:
            async with asyncio.timeout(patience):
                if habit == "stall":
                    await asyncio.sleep(1)
                status = (await reader.readline()).decode()
                if not status:
                    return "cut"
                if " 200 " not in status:
                    return f"status {status.split()[1]}"
                return await self._stream(reader, prompt)
        except TimeoutError:
            if habit != "leave":
                self.wrong.append(f"{prompt} waited for ever")
            return "left"

    async def _stream(self, reader: asyncio.StreamReader, prompt: str) -> str:
        text, reason = "", None
        while line := await reader.readline():
            if line == b"data: [DONE]\n":
                if reason is None:
                    self.wrong.append(f"{prompt} ended without a reason")
                return str(reason)
            if line.startswith(b"data: "):
                choice = json.loads(line[6:])["choices"][0]
                reason = choice.get("finish_reason", reason)
                if "error" not in json.loads(line[6:]):
                    text += choice["delta"].get("content", "")
        self._check(prompt, text)
        return "cut"

    def _check(self, prompt: str, text: str) -> None:
        pieces = text.split(";")[:-1]
        if pieces != [f"{prompt}.{number}" for number in range(len(pieces))]:
            self.wrong.append(f"{prompt} got {text[:80]}")

    # nodes

    async def _node(self, number: int) -> None:
        """Be a node that is killed and comes back, for as long as the load lasts."""
        url = f"ws://{self.host}:{self.port}/ws/node"
        while True:
            node_id = f"n{number}" if self.rng.random() < 0.7 else f"x{self.rng.random()}"
            with suppress(OSError, WebSocketException, TimeoutError):
                async with connect(url, compression=None, proxy=None, close_timeout=0.5) as socket:
                    await self._serve(socket, node_id)
            self.restarts += 1
            await asyncio.sleep(self.rng.uniform(0.01, 0.1))

    async def _serve(self, socket: ClientConnection, node_id: str) -> None:
        models = [{"name": name, "size": 1} for name in self.rng.sample(_MODELS, 2)]
        features = [name for name in (DECLINE, CANCEL_ACK) if self.rng.random() < 0.5]
        register = {
            "type": "register",
            "node_id": node_id,
            "models": models,
            "max_concurrent": self.rng.randint(2, 10),
            "features": features,
            "secret": node_id,
        }
        await socket.send(json.dumps(register))
        jobs: dict[str, asyncio.Task[None]] = {}
        lifetime = 1e9 if self._stopping else self.rng.expovariate(1 / 3)
        try:
            async with asyncio.timeout(lifetime):
                async for data in socket:
                    self._frame(socket, json.loads(data), jobs, features)
        finally:
            if self.rng.random() < 0.5:
                socket.transport.abort()
            for job in jobs.values():
                job.cancel()

    def _frame(
        self,
        socket: ClientConnection,
        frame: dict[str, Any],
        jobs: dict[str, asyncio.Task[None]],
        features: list[str],
    ) -> None:
        if frame["type"] == "inference_request":
            request_id = frame["request_id"]
            prompt = frame["ollama_params"]["messages"][-1]["content"]
            job = asyncio.ensure_future(self._job(socket, request_id, prompt, features))
            jobs[request_id] = job
            job.add_done_callback(lambda _: jobs.pop(request_id, None))
        elif frame["type"] == "cancel_request":
            job_ = jobs.get(frame["request_id"])
            if job_ is not None:
                job_.cancel()
            if CANCEL_ACK in features:
                confirm = {"type": "inference_cancelled", "request_id": frame["request_id"]}
                self._soon(socket, confirm)

    async def _job(
        self, socket: ClientConnection, request_id: str, prompt: str, features: list[str]
    ) -> None:
        about: dict[str, Any] = {"request_id": request_id}
        habits = ["answer", "error", "half", "decline", "bad", "silent"]
        weights = [100, 0, 0, 0, 0, 0] if self._stopping else [86, 5, 3, 3, 2, 1]
        habit = self.rng.choices(habits, weights)[0]
        with suppress(WebSocketException):
            if habit == "silent":
                await asyncio.sleep(3)
                habit = "error"
            if habit == "bad":
                await socket.send(self.rng.choice(_BAD_FRAMES))
                return
            if habit == "decline" and DECLINE in features:
                await _send(socket, {"type": "inference_decline", "reason": "busy"} | about)
                return
            count = 0 if habit in ("error", "decline") else self.rng.randint(1, 30)
            for number in range(count):
                message = {"role": "assistant", "content": f"{prompt}.{number};"}
                chunk = {"message": message, "done": False}
                await _send(socket, {"type": "inference_chunk", "chunk": chunk} | about)
                if self.rng.random() < 0.5:
                    await asyncio.sleep(self.rng.uniform(0, 0.03))
            if habit != "answer":
                await _send(socket, {"type": "inference_error", "error": "ollama_error"} | about)
                return
            end = {"message": {"content": ""}, "done": True, "done_reason": "stop"}
            await _send(socket, {"type": "inference_chunk", "chunk": end} | about)

    def _soon(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        async def send() -> None:
            with suppress(WebSocketException):
                await _send(socket, frame)

        task = asyncio.ensure_future(send())
        self._consumers.add(task)
        task.add_done_callback(self._consumers.discard)


async def _send(socket: ClientConnection, frame: dict[str, Any]) -> None:
    await socket.send(json.dumps(frame))
