"""What one request has done with tools so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from idleclaw_protocol.chat import Usage
from idleclaw_protocol.frames import ToolCall
from idleclaw_protocol.limits import MAX_MESSAGE_CHARS
from idleclaw_server.tool_specs import ToolArguments, ToolMode

if TYPE_CHECKING:
    from idleclaw_server.relay import Relay

RESULT_CHARS: Final = 4_000
"""Characters of a tool's result that a model gets."""

Report = Callable[[int, str, float], None]
"""Called with the place of a call in its job, its result, and the time."""


@dataclass(slots=True, eq=False)
class PlannedCall:
    """One call of a job: `arguments` are set where it is to be run, `result` where it has one."""

    call: ToolCall
    arguments: ToolArguments | None = None
    result: str | None = None

    @property
    def name(self) -> str:
        """The name the model wrote, cleaned."""
        return self.call.function.name

    @property
    def runs(self) -> bool:
        """Whether the call is running, or about to."""
        return self.arguments is not None and self.result is None


@dataclass(slots=True, eq=False)
class ToolJob:
    """The calls of one round of one request. Identity is the object."""

    relay: Relay
    calls: tuple[PlannedCall, ...]

    @property
    def is_done(self) -> bool:
        """Whether every call has its result."""
        return all(planned.result is not None for planned in self.calls)


class ToolRunner(Protocol):
    """The way to the tools. No method waits or raises."""

    def run(self, job: ToolJob, report: Report) -> None:
        """Start the calls of `job` that are to be run; each is reported exactly once."""

    def cancel(self, job: ToolJob) -> None:
        """Stop what still runs of `job`; nothing of it is reported any more."""


class NoTools:
    """The `ToolRunner` of a router without tools."""

    def run(self, job: ToolJob, report: Report) -> None:
        """See `ToolRunner.run`."""

    def cancel(self, job: ToolJob) -> None:
        """See `ToolRunner.cancel`."""


@dataclass(slots=True, eq=False)
class ToolUse:
    """The rounds of one request.

    `mode` is how tools are offered in the present round, None once no more calls are taken.
    `later` are the messages that the rounds so far have added, `job` the calls that run now.
    """

    mode: ToolMode | None
    rounds: int = 0
    calls: int = 0
    later: list[Mapping[str, Any]] = field(default_factory=list)
    job: ToolJob | None = None
    usage: Usage | None = None
    _said: list[str] = field(default_factory=list)
    _said_chars: int = 0

    def heard(self, text: str) -> None:
        """Remember what the model says in this round, up to what a node takes in a message."""
        if self._said_chars < MAX_MESSAGE_CHARS:
            self._said.append(text)
            self._said_chars += len(text)

    def take_said(self) -> str:
        """Return what the model said in this round, and begin another."""
        said = "".join(self._said)[:MAX_MESSAGE_CHARS]
        self._said.clear()
        self._said_chars = 0
        return said

    def cancel(self, runner: ToolRunner) -> bool:
        """Stop the calls that run now; tell whether there were any."""
        job, self.job = self.job, None
        if job is None:
            return False
        runner.cancel(job)
        return True

    def add_usage(self, usage: Usage | None) -> Usage | None:
        """Add the tokens of a round; return those of all rounds."""
        if usage is not None and self.usage is not None:
            usage = Usage(
                prompt_tokens=self.usage.prompt_tokens + usage.prompt_tokens,
                completion_tokens=self.usage.completion_tokens + usage.completion_tokens,
                total_tokens=self.usage.total_tokens + usage.total_tokens,
            )
        self.usage = usage or self.usage
        return self.usage


def round_messages(mode: ToolMode, said: str, job: ToolJob) -> list[dict[str, Any]]:
    """Return what a finished round adds to the conversation: the calls, and a result for each."""
    if mode == "native":
        asked = {
            "role": "assistant",
            "content": said,
            "tool_calls": [planned.call.model_dump(exclude_none=True) for planned in job.calls],
        }
        return [asked, *map(_native_result, job.calls)]
    results = [
        {"role": "user", "content": f"[Tool Result for {planned.name}]:\n{_result(planned)}"}
        for planned in job.calls
    ]
    return [{"role": "assistant", "content": said}, *results] if said.strip() else results


def _native_result(planned: PlannedCall) -> dict[str, Any]:
    message = {"role": "tool", "content": _result(planned), "tool_name": planned.name}
    if planned.call.id is not None:
        message["tool_call_id"] = planned.call.id
    return message


def _result(planned: PlannedCall) -> str:
    return (planned.result or "")[:RESULT_CHARS]
