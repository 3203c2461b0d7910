"""Sending a request to its node: the first time, again with what tools returned, and its end."""

from pydantic_core import to_json

from idleclaw_protocol.frames import CancelRequest
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


def withdraw(node: Node, request_id: str, until: float) -> None:
    """Cancel a request; where its node confirms that, the slot is taken till then or `until`."""
    node.remember(request_id, free_until=until)
    if node.confirms_cancel:
        node.cancelling[request_id] = until
    node.link.send(CancelRequest(request_id=request_id).to_json().encode())
