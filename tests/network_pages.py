"""A small network as `/api/network` tells it."""

from typing import Any


def model(name: str, **known: Any) -> dict[str, Any]:
    """Return a model's entry; what is not `known` is as on a quiet network."""
    return {"name": name, "nodes": 1, "slots_free": 2, "slots_total": 2, **known}


def node(alias: str, state: str = "idle", **known: Any) -> dict[str, Any]:
    """Return a node's entry."""
    return {
        "alias": alias,
        "state": state,
        "models": ["fast:3b"],
        "slots_busy": 0,
        "slots_total": 2,
        "uptime_seconds": 11_520,
        **known,
    }


def network(models: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the page with these models and nodes."""
    return {
        "version": "0.1.0",
        "uptime_seconds": 11_520,
        "totals": {
            "nodes": len(nodes),
            "models": len(models),
            "slots_total": 6,
            "running": 1,
            "queued": 2,
            "tokens_per_second": 52.4,
        },
        "models": models,
        "nodes": nodes,
    }


NETWORK = network(
    [
        model("large:70b", size=40_000_000_000, tokens_per_second=4.2, first_token_seconds=9.4),
        model(
            "fast:3b",
            nodes=2,
            slots_free=3,
            slots_total=4,
            size=2_000_000_000,
            parameter_size="3.2B",
            quantization="Q4_K_M",
            context_length=8192,
            capabilities=["completion", "tools"],
            loaded=True,
            tokens_per_second=48.0,
            first_token_seconds=0.6,
            first_token_seconds_p95=1.4,
        ),
        model("busy:1b", slots_free=0, tokens_per_second=99.0),
        model("nomic-embed-text", capabilities=["embedding"], tokens_per_second=500.0),
    ],
    [
        node("amber-otter", "serving", slots_busy=1, tokens_per_second=48.0),
        node("calm-heron", "paused", reason="the owner needs the machine"),
    ],
)
