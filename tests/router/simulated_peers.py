"""The peers of a simulated router: nodes and consumers in memory, who notice what is not theirs.

Every visible piece of text says whose it is: `<consumer>.<connection>.<request_id>.<number>;`. A
consumer that gets a piece of another consumer, of another connection or attempt, or out of order
fails the run.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from idleclaw_protocol.limits import MAX_FRAME_BYTES
from idleclaw_server.inference import Ending, WaitState
from idleclaw_server.node import Node
from idleclaw_server.relay import Relay


@dataclass
class Job:
    """A request as a node has it: for whom, and how many pieces of the answer were sent."""

    request_id: str
    consumer: str
    pieces: int = 0


class SimulatedNode:
    """A connection of a node, seen from the far end. It is its own `NodeLink`.

    `attempts` is shared by all: which node_id was asked for which consumer.
    """

    def __init__(self, serial: int, node_id: str, attempts: set[tuple[str, str]]) -> None:
        self.serial = serial
        self.node_id = node_id
        self.attempts = attempts
        self.listed: Node | None = None
        self.jobs: dict[str, Job] = {}
        self.ended: list[str] = []
        self.to_confirm: list[str] = []
        self.asked: set[str] = set()
        self.frames: list[str] = []
        self.closed: tuple[int, str] | None = None

    def send(self, frame: bytes) -> None:
        """Take a frame from the router, as a socket would."""
        if self.closed is not None:
            return
        assert len(frame) <= MAX_FRAME_BYTES
        message = json.loads(frame)
        self.frames.append(message["type"])
        assert self.frames[0] == "registered", "the first frame answers the registration"
        if message["type"] == "inference_request":
            self._asked(message["request_id"], message["ollama_params"])
        elif message["type"] == "cancel_request":
            self._cancelled(message["request_id"])

    def close(self, code: int, reason: str) -> None:
        """Take a close from the router."""
        self.closed = self.closed or (code, reason)

    def piece(self, job: Job) -> str:
        """Return the next visible text of an answer."""
        text = f"{job.consumer}.{self.serial}.{job.request_id}.{job.pieces};"
        job.pieces += 1
        return text

    def end(self, job: Job) -> None:
        """Forget a job that ended here."""
        del self.jobs[job.request_id]
        self.ended.append(job.request_id)

    def _asked(self, request_id: str, params: dict[str, Any]) -> None:
        assert request_id not in self.asked, "an id is never used twice"
        self.asked.add(request_id)
        assert self.listed is None or params["model"] in self.listed.models
        consumer = params["messages"][-1]["content"]
        assert (self.node_id, consumer) not in self.attempts, "no node is tried twice"
        self.attempts.add((self.node_id, consumer))
        self.jobs[request_id] = Job(request_id, consumer)

    def _cancelled(self, request_id: str) -> None:
        assert request_id in self.asked, "only what was asked for is cancelled"
        if self.listed is not None and self.listed.confirms_cancel:
            assert request_id in self.listed.cancelling, "the slot waits for the confirmation"
        job = self.jobs.pop(request_id, None)
        if job is not None:
            self.ended.append(request_id)
            self.to_confirm.append(request_id)


@dataclass
class SimulatedConsumer:
    """A consumer, which is its own `AnswerSink`."""

    name: str
    relay: Relay | None = None
    left: bool = False
    text: str = ""
    endings: list[Ending] = field(default_factory=list)
    aborts: int = 0
    backlog: int = 0
    stalled: float = 0.0
    notices: int = 0
    comments: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing may come any more."""
        return self.left or bool(self.endings) or self.aborts > 0

    def content(self, text: str) -> int:
        """Take text, checking that it is this consumer's own and in order."""
        self._still_open()
        for piece in text.split(";")[:-1]:
            self._check(piece)
        self.text += text
        return self.backlog

    def thinking(self, text: str) -> int:
        """Take thinking; it is checked like content."""
        return self.content(text)

    def waiting(self, state: WaitState, position: int | None, eta_seconds: float | None) -> None:
        """Take a notice."""
        self._still_open()
        assert not self.text, "no notice after the first token"
        assert (position is not None) == (state == "queued")
        self.notices += 1

    def tool_call(self, name: str, status: str) -> None:
        """Take the progress of a tool."""
        self._still_open()

    def comment(self) -> None:
        """Take a comment."""
        self._still_open()
        self.comments += 1

    def end(self, ending: Ending) -> None:
        """Take the one end."""
        self._still_open()
        assert (ending.error is not None) == (ending.reason == "error")
        self.endings.append(ending)

    def abort(self) -> None:
        """Be cut off."""
        assert not self.left
        assert not self.aborts
        self.aborts += 1

    def stalled_seconds(self, now: float) -> float:
        """Pretend not to read."""
        return self.stalled

    def _still_open(self) -> None:
        assert not self.over, f"something after the end of {self.name}"

    def _check(self, piece: str) -> None:
        consumer, connection, request_id, number = piece.split(".")
        assert consumer == self.name, f"{self.name} got {piece}"
        assert self.relay is not None
        assert self.relay.node is not None
        assert isinstance(self.relay.node.link, SimulatedNode)
        assert connection == str(self.relay.node.link.serial), "text of another connection"
        assert request_id == self.relay.request_id, "text of another attempt"
        expected = self.text.count(";") if self._same_attempt(request_id) else 0
        assert int(number) == expected, "order"

    def _same_attempt(self, request_id: str) -> bool:
        return not self.text or self.text.split(".")[2] == request_id
