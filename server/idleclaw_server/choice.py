"""Which node serves a request: of two random candidates the one that will answer first.

Two random choices keep load even without a scan and without a herd on the best node
(Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
"""

import random
from collections.abc import Collection
from typing import Final

from idleclaw_server.node import Node
from idleclaw_server.random_set import RandomSet

_UNKNOWN_FIRST_TOKEN_SECONDS: Final = 1.0
_LOAD_BYTES_PER_SECOND: Final = 500e6
_LOAD_FLOOR_SECONDS: Final = 1.0
_LEAST_RELIABILITY: Final = 0.05


def expected_first_token_ms(node: Node, model: str) -> float:
    """Return the time in milliseconds after which `node` should send its first token.

    Running requests share the machine, a model that is not in memory has to be read from disk, and
    an unreliable node costs the time of a second try.
    """
    speed = node.speeds.get(model)
    observed = speed.first_token_seconds.value if speed else None
    seconds = _UNKNOWN_FIRST_TOKEN_SECONDS if observed is None else observed
    seconds *= 1 + node.load
    if not node.has_loaded(model):
        seconds += _LOAD_FLOOR_SECONDS + node.models[model].size / _LOAD_BYTES_PER_SECOND
    rate = speed.tokens_per_second.value if speed else None
    if rate:
        seconds += 1 / rate
    return 1000 * seconds / max(node.standing.reliability_with(model), _LEAST_RELIABILITY)


def choose(
    free: RandomSet[Node], model: str, tried: Collection[str], rng: random.Random
) -> Node | None:
    """Return a node with a free slot that was not tried (by node id), or None."""
    if not tried:
        candidates = free.sample(rng, 2)
    else:
        candidates = [n for n in free.sample(rng, 2 + len(tried)) if n.node_id not in tried][:2]
    return min(candidates, key=lambda n: expected_first_token_ms(n, model), default=None)
