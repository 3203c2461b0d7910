"""What the public page tells of models and nodes, and how coarsely."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.frames import Heartbeat, OfferedModel, Register
from idleclaw_server.aliases import AliasBook
from idleclaw_server.core import RouterCore
from idleclaw_server.inference import InferenceRequest
from idleclaw_server.network_status import NetworkStatus
from idleclaw_server.node import Node
from idleclaw_server.node_status import (
    PREFERRED,
    UPTIME_STEPS,
    node_status,
    preferred,
    release,
    uptime_step,
)
from idleclaw_server.policy import Policy
from tests.router.recording_sink import RecordingSink


class SilentLink:
    """A node's connection that nothing comes of."""

    def send(self, frame: bytes) -> None:
        """Take a frame."""

    def close(self, code: int, reason: str) -> None:
        """Take a close."""


def new_core(now: float = 0.0) -> RouterCore:
    """Return a core with ids that count."""
    ids = iter(range(10_000))
    return RouterCore(
        Policy(), rng=random.Random(1), new_id=lambda: str(next(ids)), alias_key=b"k", now=now
    )


def join(core: RouterCore, node_id: str, *models: str, now: float = 0.0, slots: int = 2) -> Node:
    """Register a node."""
    offered = tuple(
        OfferedModel(name=name, size=1_000, capabilities=("completion",)) for name in models
    )
    register = Register(
        node_id=node_id, models=offered, max_concurrent=slots, ollama_version="0.12.6"
    )
    return core.node_registered(register, SilentLink(), now)


def ask(core: RouterCore, model: str, now: float) -> RecordingSink:
    """Submit a request."""
    sink = RecordingSink()
    core.submit(InferenceRequest(model=model, messages=(), client="c"), sink, now)
    return sink


def answer_all(core: RouterCore, node: Node, now: float, tokens: int = 90) -> None:
    """Let the node answer what runs at it: a first token after a second, the rest in another."""
    for request_id in list(node.in_flight):
        core.answers.chunk(node, request_id, {"message": {"content": "x"}}, now + 1)
        end = {"done": True, "eval_count": tokens, "eval_duration": 1_000_000_000}
        core.answers.chunk(node, request_id, end, now + 2)


def test_slots_queue_and_wait_of_a_model() -> None:
    core = new_core()
    status = NetworkStatus(core, "1")
    node = join(core, "a", "m", slots=1)
    assert status.at(0).models[0].wait_seconds == 0
    for number in range(6):
        ask(core, "m", number * 10)
        answer_all(core, node, number * 10)
    for _ in range(3):
        ask(core, "m", 100)
    network = status.at(100)
    model = network.models[0]
    assert (model.slots_free, model.slots_total, model.queued) == (0, 1, 2)
    assert (model.first_token_seconds, model.first_token_seconds_p95) == (1.0, 1.0)
    assert model.tokens_per_second == model.tokens_per_second_p95 == 90
    assert model.wait_seconds == 6.0, "two seconds an answer, two wait already"
    assert (network.totals.running, network.totals.queued) == (1, 2)


def test_median_and_tail_are_told_in_two_digits() -> None:
    core = new_core()
    node = join(core, "a", "m")
    speed = core.registry.models["m"].speed
    for sample in range(100, 164):
        speed.tokens_per_second.add(sample)
        speed.first_token_seconds.add(sample / 1000)
    model = NetworkStatus(core, "1").at(0).models[0]
    assert (model.tokens_per_second, model.tokens_per_second_p95) == (130, 160)
    assert (model.first_token_seconds, model.first_token_seconds_p95) == (0.13, 0.16)
    assert node_status(node, 0).tokens_per_second is None


def test_models_that_cannot_chat_are_not_told() -> None:
    core = new_core()
    embedding = OfferedModel(name="embed", size=1, capabilities=("embedding",))
    chat = OfferedModel(name="chat", size=1, capabilities=("completion",))
    core.node_registered(Register(node_id="a", models=(embedding, chat)), SilentLink(), 0)
    network = NetworkStatus(core, "1").at(0)
    assert [model.name for model in network.models] == ["chat"]
    assert network.nodes[0].models == ("chat",)
    assert network.totals.models == 1


def test_a_paused_node_has_no_slots_and_says_why_in_our_words() -> None:
    core = new_core()
    status = NetworkStatus(core, "1")
    node = join(core, "a", "m")
    reasons = {
        "ollama_unavailable": "its Ollama does not answer",
        "busy": "busy with something else",
        "owner_needs_machine": "by its owner",
        "I live at 1 High Street": "by its owner",
    }
    for given_reason, told in reasons.items():
        core.heartbeat(node, Heartbeat(available=False, reason=given_reason), 1)
        network = status.at(1)
        assert (network.nodes[0].state, network.nodes[0].reason) == ("paused", told)
        assert (network.totals.slots_total, network.models[0].slots_total) == (0, 0)
        assert network.models[0].wait_seconds is None
    core.heartbeat(node, Heartbeat(), 2)
    assert (status.at(2).nodes[0].state, status.at(2).nodes[0].reason) == ("idle", None)


def test_rows_that_did_not_change_are_the_same_objects() -> None:
    core = new_core()
    status = NetworkStatus(core, "1")
    join(core, "a", "m")
    changed = join(core, "b", "n")
    before = {node.alias: node for node in status.at(0).nodes}
    ask(core, "n", 1)
    after = {node.alias: node for node in status.at(1).nodes}
    for alias, node in after.items():
        assert (node is before[alias]) == (alias != changed.alias)


def test_the_order_does_not_tell_who_came_when() -> None:
    core = new_core()
    came = [join(core, str(number), f"m{9 - number}", "m").alias for number in range(9)]
    network = NetworkStatus(core, "1").at(0)
    assert [node.alias for node in network.nodes] == sorted(came) != came
    assert network.nodes[0].models == tuple(sorted(network.nodes[0].models))


@given(st.floats(0, 10**7))
def test_how_long_a_node_is_connected_is_told_in_steps(seconds: float) -> None:
    step = uptime_step(seconds)
    assert step in UPTIME_STEPS
    assert step <= seconds
    later = UPTIME_STEPS[UPTIME_STEPS.index(step) + 1 :]
    assert not later or seconds < later[0]


@given(st.floats(0.1, 10**6))
def test_a_speed_is_told_as_a_number_not_far_from_it(speed: float) -> None:
    told = preferred(speed)
    assert abs(told - speed) <= 0.16 * speed
    digits = f"{told:e}".partition("e")[0]
    assert float(digits) in PREFERRED


def test_a_nodes_speed_is_told_after_five_answers() -> None:
    core = new_core()
    node = join(core, "a", "m", slots=1)
    told = []
    for number in range(6):
        ask(core, "m", number * 10)
        answer_all(core, node, number * 10, tokens=43)
        told.append(node_status(node, 0).tokens_per_second)
    assert told == [None, None, None, None, 40, 40]


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("0.12.6", "0.12"),
        ("v0.12.6-rc1", "0.12"),
        ("0.99.1-fake", "0.99"),
        ("0.12", "0.12"),
        ("12", None),
        ("mine", None),
        ("0.12six", None),
        ("1.2.3.4", None),
        ("192.168.0.7", None),
        (None, None),
    ],
)
def test_a_version_without_its_patch_level(version: str | None, told: str | None) -> None:
    assert release(version) == told


def test_two_nodes_never_share_an_alias() -> None:
    book = AliasBook(b"key")
    first = book.alias("a")
    assert book.alias("a") == first
    second = book.alias("a", {first}.__contains__)
    assert second != first
    assert book.alias("a", {first, second}.__contains__) not in (first, second)
    assert AliasBook(b"other key").alias("a") != first


def test_an_alias_lasts_over_a_takeover_and_is_free_again_after_the_end() -> None:
    core = new_core()
    register = Register(
        node_id="a", models=(OfferedModel(name="m", size=1),), max_concurrent=1, secret="s"
    )
    old = core.node_registered(register, SilentLink(), 0)
    new = core.node_registered(register, SilentLink(), 1)
    assert new.alias == old.alias
    core.node_left(old, 2)
    core.node_left(new, 3)
    assert core.node_registered(register, SilentLink(), 4).alias == old.alias
