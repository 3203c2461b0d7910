"""Networks that hypothesis makes up, few enough names for rows to come, change and go."""

from hypothesis import strategies as st

from idleclaw_protocol.network_changes import in_model_order, in_node_order
from idleclaw_protocol.status import ModelStatus, Network, NodeStatus, Totals

_small = st.integers(0, 3)
_speeds = st.none() | st.sampled_from([0.5, 12.0, 41.0])
_model = st.builds(
    ModelStatus,
    name=st.sampled_from(["a:1b", "b:3b", "c/d:8b"]),
    nodes=_small,
    slots_free=_small,
    slots_total=_small,
    queued=_small,
    size=st.none() | _small,
    capabilities=st.sampled_from([(), ("completion",), ("completion", "tools")]),
    loaded=st.booleans(),
    tokens_per_second=_speeds,
    wait_seconds=_speeds,
)
_node = st.builds(
    NodeStatus,
    alias=st.sampled_from(["amber-otter-100", "brave-lynx-200", "calm-heron-300"]),
    state=st.sampled_from(["serving", "idle", "paused"]),
    reason=st.none() | st.just("by its owner"),
    models=st.sampled_from([("a:1b",), ("a:1b", "b:3b")]),
    slots_busy=_small,
    slots_total=_small,
    uptime_seconds=_small,
    tokens_per_second=_speeds,
)
_totals = st.builds(
    Totals,
    nodes=_small,
    models=_small,
    slots_total=_small,
    running=_small,
    queued=_small,
    tokens_per_second=st.sampled_from([0.0, 41.5]),
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Return a network as a router tells it."""
    models = draw(st.lists(_model, unique_by=lambda model: model.name))
    nodes = draw(st.lists(_node, unique_by=lambda node: node.alias))
    return Network(
        version="0.1.0",
        uptime_seconds=draw(_small),
        totals=draw(_totals),
        models=in_model_order(models),
        nodes=in_node_order(nodes),
    )
