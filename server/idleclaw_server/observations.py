"""What an answer on its way teaches about its node and its model."""

from idleclaw_server.relay import Relay
from idleclaw_server.speeds import NetworkSpeed


def observe_first_token(relay: Relay, network: NetworkSpeed, now: float) -> None:
    """Learn from the first visible token.

    The node's figure counts only where the model was loaded when the request came: loading is a
    term of its own in the choice of a node.
    """
    node, model = relay.node, relay.request.model
    assert node is not None
    if not relay.loading:
        node.speed(model).first_token_seconds.add(now - relay.dispatched_at)
    node.mark_loaded(model)
    network.first_token_seconds.add(now - relay.dispatched_at)


def observe_answer(
    relay: Relay, network: NetworkSpeed, tokens_per_second: float | None, now: float
) -> None:
    """Learn from an answer that its node finished."""
    node, model = relay.node, relay.request.model
    assert node is not None
    node.standing.count_request(model, answered=True)
    network.answer_seconds.add(now - relay.dispatched_at)
    if tokens_per_second is not None:
        node.speed(model).tokens_per_second.add(tokens_per_second)
        node.tokens_per_second.add(tokens_per_second)
        network.tokens_per_second.add(tokens_per_second)
