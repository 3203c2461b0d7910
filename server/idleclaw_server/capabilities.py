"""What a model can do, guessed from its name: only for nodes that do not say."""

from typing import Final

_THINKING: Final = ("qwen3",)
_TOOLS: Final = (
    "qwen3",
    "llama3.1",
    "llama3.2",
    "llama3.3",
    "mistral",
    "ministral",
    "granite4",
    "devstral",
    "gpt-oss",
    "functiongemma",
)
_NO_CHAT: Final = ("embed",)
_NO_TOOLS: Final = ("vision",)


def guessed_capabilities(model: str) -> tuple[str, ...]:
    """Return Ollama's words (completion, tools, thinking, embedding) for a name.

    The lists of the original, without the two mistakes it is known for: embedding models of a
    chatting family, and vision models that know no tools.
    """
    name = model.lower()
    if any(part in name for part in _NO_CHAT):
        return ("embedding",)
    capabilities = ["completion"]
    if any(part in name for part in _TOOLS) and not any(part in name for part in _NO_TOOLS):
        capabilities.append("tools")
    if any(part in name for part in _THINKING):
        capabilities.append("thinking")
    return tuple(capabilities)
