"""A6: what probes do to a node's standing, and what a standing does to a node's requests."""

import pytest

from idleclaw_protocol.frames import DECLINE
from idleclaw_server.network_status import NetworkStatus
from idleclaw_server.probe_schedule import MAX_PROBES
from idleclaw_server.standing import NEUTRAL
from idleclaw_server.status_view import model_list, readiness
from tests.router.simulated_peers import SimulatedNode
from tests.trust import models
from tests.trust.world import MODEL, World, standing


def _consumer_text(world: World, peer: SimulatedNode) -> str:
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    (job,) = peer.jobs.values()
    world.chunk(peer, job, done=True)
    text = consumer.text
    world.depart(consumer)
    return text


def test_right_answers_make_a_node_honest() -> None:
    world = World()
    node = world.node()
    world.check_node(node, models.able, 10)
    assert standing(node).honesty == 1
    assert standing(node).is_proven
    assert sum(world.probing.outcomes.values()) == 10
    assert {outcome for _, outcome in world.probing.outcomes} == {"right"}


@pytest.mark.parametrize("model", [models.rubbish, models.parrot, lambda question: ""])
@pytest.mark.parametrize("seed", range(5))
def test_a_node_that_recognises_nothing_is_out_and_gets_no_requests(
    model: models.Model, seed: int
) -> None:
    world = World(seed)
    node = world.node()
    assert _consumer_text(world, node)
    assert world.until_out(node, model) <= 30
    assert world.submit("client", MODEL) is None
    assert world.refused == 1
    assert node.jobs == {}


def test_a_weak_model_alone_costs_nothing() -> None:
    world = World()
    node = world.node()
    world.check_node(node, models.small, 60)
    assert standing(node).honesty == 1


def test_a_smaller_model_is_found_among_honest_nodes() -> None:
    world = World()
    honest = [world.node(f"honest {number}") for number in range(4)]
    cheat = world.node("cheat")
    for _ in range(40):
        for node in honest:
            world.check_node(node, models.able)
    assert world.until_out(cheat, models.small, most=60) <= 60
    assert all(standing(node).honesty == 1 for node in honest)


def test_a_node_that_fails_recovers_once_it_answers_again() -> None:
    world = World()
    node = world.node()
    world.until_out(node, models.rubbish)
    world.check_node(node, models.able, 2)
    assert standing(node).is_out
    world.check_node(node, models.able)
    assert not standing(node).is_out
    assert _consumer_text(world, node)


def test_a_record_is_not_shed_by_coming_back() -> None:
    """A4, A6: the same identity has the same record, whatever connection it comes in on."""
    world = World()
    node = world.node()
    world.until_out(node, models.rubbish)
    world.leave(node)
    again = world.node()
    assert standing(again) is standing(node)
    assert world.submit("client", MODEL) is None
    taken_over = world.node()
    assert standing(taken_over) is standing(node)
    assert not world.core.registry.models[MODEL].usable


def test_reliability_outlives_a_connection_too() -> None:
    world = World()
    node = world.node()
    consumer = world.submit("client", MODEL)
    assert consumer is not None
    (job,) = node.jobs.values()
    world.fail(node, job)
    world.leave(node)
    assert standing(world.node()).reliability == 0.8
    assert standing(world.node("other")).reliability == 1.0


def test_another_secret_is_another_identity() -> None:
    """Nobody can spoil, or use, the record of a node whose id they know."""
    world = World()
    honest = world.node(secret="its own")
    world.check_node(honest, models.able, 10)
    world.leave(honest)
    thief = world.node(secret="guessed")
    assert standing(thief).honesty == NEUTRAL
    world.until_out(thief, models.rubbish)
    world.leave(thief)
    assert standing(world.node(secret="its own")).honesty == 1


def test_a_thousand_identities_change_nothing_for_one() -> None:
    """A4, A17: the table is bounded, and a bad record stays in it."""
    world = World()
    node = world.node("bad")
    world.until_out(node, models.rubbish)
    world.leave(node)
    for number in range(1_000):
        world.leave(world.node(f"invented {number}"))
    assert standing(world.node("bad")).is_out


def test_a_good_name_survives_strangers_that_come_meanwhile() -> None:
    world = World()
    node = world.node("honest")
    world.check_node(node, models.able, 10)
    for number in range(300):
        world.leave(world.node(f"invented {number}"))
    world.leave(node)
    assert standing(world.node("honest")).honesty == 1


def test_an_error_a_decline_and_silence_are_not_dishonest() -> None:
    world = World()
    node = world.node(features=[DECLINE])
    for decline in (True, False):
        job = world.ask(node)
        assert job is not None
        world.fail(node, job, decline=decline)
        world.look()
    assert world.ask(node)
    world.heartbeat(node)
    world.pass_time(61)
    world.look()
    assert (standing(node).honesty, standing(node).checks) == (NEUTRAL, 0)
    assert standing(node).reliability < 1
    assert {outcome for _, outcome in world.probing.outcomes} == {"unanswered"}


def test_thinking_for_as_long_as_the_owner_allows_is_not_dishonest() -> None:
    world = World()
    node = world.node()
    job = world.ask(node)
    assert job is not None
    world.answer(node, job, "", reason="length")
    assert standing(node).checks == 0


def test_an_answer_without_end_is_looked_at_and_left() -> None:
    world = World()
    node = world.node()
    job = world.ask(node)
    assert job is not None
    chunk = {"message": {"content": "la " * 1_000}, "done": False}
    for _ in range(3):
        world.frame(node, "chunk", job.request_id, chunk)
    world.look()
    assert standing(node).checks == 1
    assert node.frames[-1] == "cancel_request"
    assert not node.jobs


def test_an_answer_that_takes_for_ever_is_given_up() -> None:
    world = World()
    node = world.node()
    job = world.ask(node)
    assert job is not None
    for _ in range(11):
        world.heartbeat(node)
        world.frame(node, "chunk", job.request_id, {"message": {"content": "."}, "done": False})
        world.now += 30
        world.core.deadlines.sweep(world.now)
    world.look()
    assert [outcome for _, outcome in world.probing.outcomes] == ["unanswered"]
    assert standing(node).checks == 0
    assert "cancel_request" in node.frames


def test_consumers_who_wait_for_a_node_that_goes_out_are_told() -> None:
    world = World()
    node = world.node()
    while not standing(node).is_out:
        standing(node).failed(0.25)
    standing(node).is_out = False
    running = world.submit("one", MODEL)
    waiting = world.submit("two", MODEL)
    assert running is not None
    assert waiting is not None
    standing(node).failed(0.25)
    world.core.standing_changed(standing(node), world.now)
    world.check()
    (end,) = waiting.endings
    assert end.error is not None
    assert end.error.code == "no_node"
    (job,) = node.jobs.values()
    world.chunk(node, job, done=True)
    assert running.endings[0].reason == "stop"


def test_who_comes_back_in_serves_those_who_wait() -> None:
    world = World()
    out = world.node("out")
    world.until_out(out, models.rubbish)
    busy = world.node("busy")
    assert world.submit("one", MODEL)
    assert world.submit("two", MODEL)
    assert len(busy.jobs) == 1
    world.check_node(out, models.able, 3)
    assert not standing(out).is_out
    assert len(out.jobs) == 1
    assert world.core.life.waiting == 0


def test_nothing_public_tells_who_is_out() -> None:
    """A6: neither page helps to rank contributors, nor tells a node what is thought of it."""
    world = World()
    nodes = [world.node("a", slots=2), world.node("b", slots=2)]
    status = NetworkStatus(world.core, "1")
    before = status.at(world.now)
    models_before, ready = model_list(world.core), readiness(world.core)
    for _ in range(2):
        standing(nodes[0]).failed(0.25)
    world.core.standing_changed(standing(nodes[0]), world.now)
    assert standing(nodes[0]).is_out
    assert status.at(world.now) == before
    assert model_list(world.core) == models_before
    assert readiness(world.core) == ready
    assert "honesty" not in before.model_dump_json()
    assert "reliab" not in before.model_dump_json()


def test_the_slots_of_who_is_out_shorten_no_wait() -> None:
    world = World()
    world.until_out(world.node("out"), models.rubbish)
    world.node("in")
    entry = world.core.registry.models[MODEL]
    for _ in range(64):
        entry.speed.answer_seconds.add(8.0)
    assert world.core.deadlines.seconds_per_turn(entry) == 8


def test_where_all_are_out_the_router_is_not_ready() -> None:
    world = World()
    world.until_out(world.node(), models.rubbish)
    assert readiness(world.core).status == "no nodes"


def test_a_model_that_only_nodes_have_that_are_out_is_not_suggested() -> None:
    world = World()
    world.until_out(world.node(models=["tiny:1b"]), models.rubbish)
    world.node("b", models=["tiny:2b"])
    assert world.core.registry.nearest_names("tiny:1b") == ("tiny:2b",)


def test_eight_probes_at_most_run_at_the_same_time() -> None:
    world = World()
    nodes = [world.node(f"n{number}") for number in range(MAX_PROBES + 1)]
    asked = [world.ask(node) for node in nodes]
    assert asked[-1] is None
    assert None not in asked[:-1]
    job = asked[0]
    assert job is not None
    world.answer(nodes[0], job, "")
    assert world.ask(nodes[-1])


def test_time_alone_starts_probes() -> None:
    world = World()
    node = world.node()
    world.look()
    for _ in range(3_600):
        world.now += 1
        world.heartbeat(node)
        world.look()
        for job in list(node.jobs.values()):
            world.answer(node, job, models.able(job.consumer))
    assert 10 <= standing(node).checks <= 30
