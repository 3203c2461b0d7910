"""When which node is probed with what: a decision by chance, so that nobody can wait for it."""

import random
from collections.abc import Sequence
from typing import Final

from idleclaw_server.node import Node
from idleclaw_server.standing import Standing

MAX_PROBES: Final = 8
"""Probes that run at the same time, in the whole network."""
UNPROVEN_FACTOR: Final = 6
"""How much oftener an identity is probed that is new, doubtful or out."""

_LOADED_SHARE: Final = 0.5
_THINKING_SHARE: Final = 0.25


def pause(rng: random.Random) -> float:
    """Return the seconds until the next look: at no beat that a node could hear in its requests."""
    return rng.uniform(0.2, 1.8)


def draws(nodes: int, mean_seconds: float, passed_seconds: float, rng: random.Random) -> int:
    """Return how many nodes to draw for what passed since the last time; at most `MAX_PROBES`.

    Each of them is one event of a Poisson process that runs as fast as unproven nodes are probed:
    whatever a node knows of the past, the next probe is equally likely at any moment, and coming
    back as a new connection changes nothing.
    """
    rate = nodes * UNPROVEN_FACTOR / mean_seconds
    if rate <= 0:
        return 0
    drawn = 0
    left = passed_seconds - rng.expovariate(rate)
    while left > 0 and drawn < MAX_PROBES:
        drawn += 1
        left -= rng.expovariate(rate)
    return drawn


def is_due(standing: Standing, rng: random.Random) -> bool:
    """Whether a drawn node is to be probed: a proven one is passed over mostly."""
    return not standing.is_proven or rng.random() < 1 / UNPROVEN_FACTOR


def model_to_ask(node: Node, rng: random.Random) -> str | None:
    """Return any of a node's models, half of the time of those in memory; None if it has none.

    Asking for another one makes the machine load it, as a chat would, and that costs its owner.
    """
    models: Sequence[str] = sorted(node.models)
    loaded = [model for model in models if node.has_loaded(model)]
    if loaded and rng.random() < _LOADED_SHARE:
        models = loaded
    return rng.choice(models) if models else None


def asks_to_think(node: Node, model: str, rng: random.Random) -> bool:
    """Whether the model is to think before it answers, as some consumers want."""
    return node.thinks(model) and rng.random() < _THINKING_SHARE
