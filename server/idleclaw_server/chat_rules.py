"""What the operator decided about chats: one frozen value, passed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from idleclaw_server.content_patterns import Pattern
from idleclaw_server.inference import NO_TOOLS, InferenceRequest
from idleclaw_server.prompt import NO_PROMPT, PromptPolicy, recent
from idleclaw_server.tool_specs import ToolSet


@dataclass(frozen=True, slots=True)
class ChatRules:
    """What a chat has to pass, and what is added to it.

    `refused` finds what may not be asked; None allows everything. `tools` are those that the
    router runs for models.
    """

    prompt: PromptPolicy = NO_PROMPT
    refused: Pattern | None = None
    tools: ToolSet = NO_TOOLS

    def request(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        client: str,
        think: bool,
        today: date,
    ) -> InferenceRequest:
        """Return what is asked of a model where somebody chats; `client` is who, see the queue."""
        return InferenceRequest(
            model=model,
            messages=recent(self.prompt, messages),
            client=client,
            think=think,
            prompt=self.prompt,
            today=today,
            server_tools=self.tools,
        )
