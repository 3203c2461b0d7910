"""Which model is taken where none was named."""

import pytest

from idleclaw_protocol.status import Metrics, ModelList, Network
from idleclaw_tui.model_choice import commonest_model, fastest_model
from tests.network_pages import model, network


@pytest.mark.parametrize(
    ("models", "chosen"),
    [
        ([], None),
        ([model("gone:1b", nodes=0)], None),
        ([model("mxbai-embed-large")], None),
        ([model("not a name")], None),
        ([model("a", tokens_per_second=9.0, slots_free=0), model("b")], "b"),
        ([model("a"), model("b", tokens_per_second=9.0)], "b"),
        ([model("a", size=1), model("b", loaded=True)], "b"),
        ([model("a", size=2), model("b", size=1), model("c")], "b"),
        ([model("a", capabilities=["embedding"]), model("b", slots_free=0)], "b"),
    ],
)
def test_the_soonest(models: list[dict[str, object]], chosen: str | None) -> None:
    assert fastest_model(Network.model_validate(network(models, []))) == chosen


def test_the_commonest_of_an_original_router() -> None:
    metrics = Metrics.model_validate(
        {
            "nodes_connected": 1,
            "nodes_registered_total": 1,
            "requests_total": 1,
            "requests_active": 1,
            "requests_errors_total": 1,
            "uptime_seconds": 1,
            "models_available": [
                {"name": "nomic-embed-text", "node_count": 9},
                {"name": "b", "node_count": 2},
            ],
        }
    )
    assert commonest_model(ModelList(models=("a", "nomic-embed-text", "b")), metrics) == "b"
    assert commonest_model(ModelList(models=("a",)), metrics) == "a"
    assert commonest_model(ModelList(models=("not a name",)), metrics) is None
