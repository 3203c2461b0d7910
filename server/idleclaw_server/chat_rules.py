"""What the operator decided about chats: one frozen value, passed in."""

from dataclasses import dataclass

from idleclaw_server.content_patterns import Pattern
from idleclaw_server.inference import NO_TOOLS
from idleclaw_server.prompt import NO_PROMPT, PromptPolicy
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
