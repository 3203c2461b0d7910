"""Sending a request to its node: the first time, and again with what tools returned."""

from pydantic_core import to_json

from idleclaw_server.node import Node
from idleclaw_server.relay import Relay


def send_request(relay: Relay, node: Node) -> None:
    """Send what `relay` asks in its present round."""
    use = relay.tool_use
    params = relay.request.ollama_params(
        thinks=node.thinks(relay.request.model),
        tool_mode=use.mode if use else None,
        later=use.later if use else (),
    )
    frame = {
        "type": "inference_request",
        "request_id": relay.request_id,
        "ollama_params": params,
    }
    node.link.send(to_json(frame))


def hold_slot(relay: Relay, next_id: str, now: float) -> None:
    """Keep the slot of a request whose node has ended a round, under the id of the next.

    The node learns the id with the request that bears it.
    """
    node = relay.node
    assert node is not None
    del node.in_flight[relay.request_id]
    node.remember(relay.request_id, free_until=now)
    relay.request_id = next_id
    node.in_flight[next_id] = relay


def send_round(relay: Relay, now: float, first_token_seconds: float) -> None:
    """Ask the node of a request again, with what its tools have returned."""
    node = relay.node
    assert node is not None
    relay.start_round(now, first_token_seconds)
    send_request(relay, node)
