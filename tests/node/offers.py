"""Models as a node offers them, for tests that need no Ollama."""

from idleclaw_protocol.frames import OfferedModel

PLAIN = OfferedModel(name="tiny:1b", size=1, capabilities=("completion",))
ABLE = OfferedModel(
    name="able:8b", size=8, capabilities=("completion", "tools", "thinking", "vision")
)
UNKNOWN = OfferedModel(name="old:7b", size=7)
CLOUD = OfferedModel(name="huge:cloud", size=0, capabilities=("completion",))

OFFERED = {model.name: model for model in (PLAIN, ABLE, UNKNOWN, CLOUD)}
