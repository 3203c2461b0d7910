"""Which model to take where the person named none."""

from collections.abc import Collection

from idleclaw_protocol.model_names import is_model_name
from idleclaw_protocol.status import Metrics, ModelList, ModelStatus, Network


def fastest_model(network: Network) -> str | None:
    """Return the chat model that would answer soonest, or None where there is none.

    A free slot comes first, then the observed tokens a second, then being loaded, then being
    small. Models that cannot chat (embeddings) are left out.
    """
    online = (model for model in network.models if model.nodes)
    models = [model for model in online if is_chat_model(model.name, model.capabilities)]
    return max(models, key=_soonest).name if models else None


def commonest_model(models: ModelList, metrics: Metrics) -> str | None:
    """Return the model that most nodes have, from what the original router tells.

    The list alone would not do: its first is the largest, or the one that claims to be.
    """
    listed = [name for name in models.models if is_chat_model(name)]
    nodes = {entry.name: entry.node_count for entry in metrics.models_available}
    return max(listed, key=lambda name: nodes.get(name, 0), default=None)


def is_chat_model(name: str, capabilities: Collection[str] = ()) -> bool:
    """Return whether a model can chat: by its capabilities or, where none are known, its name."""
    can = "completion" in capabilities if capabilities else "embed" not in name.lower()
    return can and is_model_name(name)


def _soonest(model: ModelStatus) -> tuple[bool, float, bool, int]:
    size = model.size if model.size is not None else 1 << 62
    return model.slots_free > 0, model.tokens_per_second or 0.0, model.loaded, -size
