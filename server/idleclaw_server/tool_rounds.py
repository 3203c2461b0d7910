"""The rounds of a conversation between a model and the tools of this router.

A node's answer that calls a tool is not the end of a request: the calls are run, and what they
return goes to the same node in a new request. Meanwhile the request keeps its slot there: the
consumer has an answer that is half done, the node has its beginning in memory, and a tool takes
seconds where the queue may take minutes.

What is run is decided here and only for tools that the request was offered. Each result belongs to
its call by its place, so none can be taken for another's.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from idleclaw_protocol.frames import ToolCall
from idleclaw_protocol.text_safety import clean
from idleclaw_server.dispatch import hold_slot, send_round
from idleclaw_server.policy import Policy
from idleclaw_server.relay import Relay
from idleclaw_server.token_buckets import TokenBuckets
from idleclaw_server.tool_calls import tagged_calls
from idleclaw_server.tool_specs import ToolArgumentError
from idleclaw_server.tool_use import (
    RESULT_CHARS,
    PlannedCall,
    ToolJob,
    ToolRunner,
    ToolUse,
    round_messages,
)

_TOO_MANY: Final = "Error: tool rate limit exceeded for this node"


class ToolRounds:
    """Runs what models call for, within the limits of one request and of one node."""

    def __init__(self, policy: Policy, runner: ToolRunner, new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._runner = runner
        self._new_id = new_id
        self._rate = TokenBuckets(policy.tool_calls_per_minute, max_keys=policy.max_nodes)

    def begin(self, relay: Relay, now: float) -> bool:
        """Run the calls of a round that its node has finished; tell whether there are any."""
        use = relay.tool_use
        if use is None or use.mode is None:
            return False
        room = self._policy.max_tool_calls - use.calls
        calls = (relay.tool_calls or tagged_calls(relay.content.calls))[:room]
        if not calls:
            return False
        job = ToolJob(relay, tuple(self._plan(relay, call, now) for call in calls))
        use.job = job
        use.calls += len(calls)
        use.rounds += 1
        hold_slot(relay, self._new_id(), now)
        for planned in job.calls:
            if planned.runs:
                relay.sink.tool_call(planned.name, "executing")
        if job.is_done:
            self._next_round(relay, use, job, now)
        else:
            self._runner.run(job, partial(self._result, job))
        return True

    def _plan(self, relay: Relay, call: ToolCall, now: float) -> PlannedCall:
        spec = relay.request.server_tools.get(call.function.name)
        if spec is None:
            return PlannedCall(call, result=f"Error: there is no tool '{call.function.name}'")
        try:
            arguments = spec.check(call.function.arguments)
        except ToolArgumentError as error:
            return PlannedCall(call, result=f"Error: {error}")
        node = relay.node
        assert node is not None
        if self._rate.take(node.node_id, now):
            return PlannedCall(call, result=_TOO_MANY)
        return PlannedCall(call, arguments)

    def _result(self, job: ToolJob, place: int, text: str, now: float) -> None:
        relay, planned = job.relay, job.calls[place]
        use = relay.tool_use
        if use is None or use.job is not job or not planned.runs:
            return
        planned.result = clean(text[:RESULT_CHARS])
        relay.sink.tool_call(planned.name, "done")
        if job.is_done:
            self._next_round(relay, use, job, now)

    def _next_round(self, relay: Relay, use: ToolUse, job: ToolJob, now: float) -> None:
        assert use.mode is not None
        use.job = None
        use.later += round_messages(use.mode, use.take_said(), job)
        if use.rounds >= self._policy.max_tool_rounds or use.calls >= self._policy.max_tool_calls:
            use.mode = None
        send_round(relay, now, self._policy.first_token_seconds)
