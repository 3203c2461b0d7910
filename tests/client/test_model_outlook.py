"""Whether and how fast a chat would be served, in words."""

from typing import Any

import pytest

from idleclaw_protocol.status import Health, Metrics, ModelList, Network
from idleclaw_tui.network.model_outlook import outlook
from idleclaw_tui.network.status_report import StatusReport
from tests.fake_router_http import FakeRouter
from tests.network_pages import model, network

SERVER = "http://127.0.0.1:8000"
FAST = {"tokens_per_second": 40.0, "first_token_seconds": 0.6, "first_token_seconds_p95": 2.1}


def report(*models: dict[str, Any]) -> StatusReport:
    """Return what a router with these models tells."""
    return StatusReport.of(SERVER, Network.model_validate(network(list(models), [])))


@pytest.mark.parametrize(
    ("known", "verdict", "why"),
    [
        (
            {"nodes": 5, "slots_free": 7, "slots_total": 10, "loaded": True, **FAST},
            "now",
            (
                "A chat would start at once: 7 of 10 slots on 5 nodes are free.",
                "The first token usually comes after 0.6 s; 1 in 20 takes longer than 2.1 s.",
                "Then about 40 tok/s: a page (400 tokens) in 10 s.",
                "The model is in memory.",
            ),
        ),
        (
            {"slots_free": 1, "slots_total": 1, "size": 5_200_000_000},
            "now",
            (
                "A chat would start at once: 1 of 1 slot on 1 node is free.",
                "How fast it answers is not known yet: too few have asked.",
                "No node has the model of 5.2 GB in memory: it is loaded first, which takes its "
                "time.",
            ),
        ),
        (
            {"nodes": 3, "slots_free": 0, "slots_total": 6, "queued": 3, "wait_seconds": 12.4},
            "later",
            ("A chat would wait, about 12 s: 6 slots on 3 nodes, all busy, 3 waiting before it.",),
        ),
        (
            {"slots_free": 0, "slots_total": 2},
            "later",
            (
                "A chat would wait, nobody can tell yet for how long: 2 slots on 1 node, all busy, "
                "nobody waiting before it.",
            ),
        ),
        (
            {"nodes": 2, "slots_free": 0, "slots_total": 0},
            "no",
            ("2 nodes have it, but none takes requests at the moment.",),
        ),
    ],
)
def test_a_model_that_is_online(known: dict[str, Any], verdict: str, why: tuple[str, ...]) -> None:
    told = outlook(report(model("a:1b", **known)), "a:1b")
    assert told.verdict == verdict
    assert told.served == (verdict != "no")
    assert told.why[: len(why)] == why
    assert told.tokens_per_second == known.get("tokens_per_second")


def test_a_model_that_nobody_has() -> None:
    told = outlook(report(model("llama3.2:3b")), "llama3.2:1b")
    assert (told.verdict, told.nearest) == ("no", ("llama3.2:3b",))
    assert told.why == ("No node offers llama3.2:1b now. Near it: llama3.2:3b.",)
    assert "contribute" in outlook(report(), "a:1b").why[0]


def test_a_model_that_cannot_chat() -> None:
    told = outlook(report(model("nomic", capabilities=["embedding"])), "nomic")
    assert (told.verdict, told.why) == ("no", ("nomic cannot chat.",))


def test_the_original_router_tells_less() -> None:
    fake = FakeRouter()
    basics = (
        Health.model_validate(fake.health),
        ModelList.model_validate(fake.models),
        Metrics.model_validate(fake.metrics),
    )
    told = outlook(StatusReport.of(SERVER, basics), "tiny:1b")
    assert (told.verdict, told.served) == ("unknown", True)
    assert told.why == ("2 nodes have it; this router does not tell whether one is free.",)
