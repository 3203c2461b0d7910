"""What the operator decided about chats: one frozen value, passed in."""

from dataclasses import dataclass

from idleclaw_server.content_patterns import Pattern
from idleclaw_server.prompt import NO_PROMPT, PromptPolicy


@dataclass(frozen=True, slots=True)
class ChatRules:
    """What a chat has to pass, and what is added to it.

    `refused` finds what may not be asked; None allows everything.
    """

    prompt: PromptPolicy = NO_PROMPT
    refused: Pattern | None = None
