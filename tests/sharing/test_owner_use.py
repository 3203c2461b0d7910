"""The owner's own use of Ollama, told apart from this node's by what is loaded and until when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.ollama.offered_models import LoadedModel
from idleclaw_tui.owner.owner_use import OwnerUse, expiry

WALL = 1_800_000_000.0
NEVER = float("inf")


def stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(WALL, UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"


def loaded(name: str, until: float, context: int | None = 4096) -> LoadedModel:
    """A model that is to leave `until` seconds after the beginning."""
    return LoadedModel(name=name, expires_at=stamp(until), context_length=context)


class Ollama:
    """Looks every five seconds at a list of models that the test gives."""

    def __init__(self) -> None:
        self.use = OwnerUse()
        self.now = 0.0

    def look(self, *models: LoadedModel) -> float | None:
        self.now += 5
        self.use.look(models, self.now, WALL + self.now)
        return self.use.idle_seconds(self.now)


@pytest.fixture
def ollama() -> Ollama:
    return Ollama()


def test_what_was_loaded_before_is_nobodys_use(ollama: Ollama) -> None:
    assert ollama.use.idle_seconds(0) is None
    assert ollama.look(loaded("a", 300)) == NEVER
    assert ollama.look(loaded("a", 300)) == NEVER


def test_a_time_that_moved_without_a_request_is_the_owner(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    assert ollama.look(loaded("a", 308)) == 0
    assert ollama.look(loaded("a", 308)) == 5


def test_a_model_nobody_here_asked_for_is_the_owner(ollama: Ollama) -> None:
    ollama.look()
    assert ollama.look(loaded("a", 300)) == 0


def test_a_request_that_loads_moves_times_while_it_runs_and_once_after(ollama: Ollama) -> None:
    ollama.look()
    ollama.use.began("a")
    assert ollama.look(loaded("a", 310)) == NEVER
    assert ollama.look(loaded("a", 315)) == NEVER
    ollama.use.ended("a", ollama.now + 4)
    assert ollama.look(loaded("a", 319)) == NEVER
    assert ollama.look(loaded("a", 319)) == NEVER
    assert ollama.look(loaded("a", 328)) == 0


def test_a_cancelled_request_may_move_its_model_late(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    ollama.use.began("a")
    ollama.use.ended("a", ollama.now)
    assert ollama.look(loaded("a", 300)) == NEVER
    ollama.now += 40
    assert ollama.look(loaded("a", 350)) == NEVER


def test_a_request_that_never_reached_the_model_owes_nothing_for_long(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    ollama.use.began("a")
    ollama.use.ended("a", ollama.now)
    ollama.now += 60
    assert ollama.look(loaded("a", 360)) == 0


def test_requests_for_one_model_do_not_hide_the_use_of_another(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300), loaded("b", 300))
    ollama.use.began("a")
    assert ollama.look(loaded("a", 300), loaded("b", 309)) == 0


def test_another_context_is_the_owner(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    assert ollama.look(loaded("a", 300, context=32768)) == 0


def test_a_model_that_left_before_its_time_is_the_owner(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    assert ollama.look() == 0


def test_a_model_whose_time_was_over_left_by_itself(ollama: Ollama) -> None:
    ollama.look(loaded("a", 9))
    assert ollama.look() == NEVER


def test_a_request_for_one_model_may_push_another_out(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    ollama.use.began("b")
    assert ollama.look(loaded("b", 300)) == NEVER


def test_an_ollama_that_was_away_is_compared_with_nothing(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    ollama.use.lost()
    assert ollama.use.idle_seconds(ollama.now) is None
    assert ollama.look(loaded("b", 300)) == NEVER


def test_a_use_is_remembered_while_ollama_is_away(ollama: Ollama) -> None:
    ollama.look()
    ollama.look(loaded("a", 300))
    ollama.use.lost()
    assert ollama.use.idle_seconds(ollama.now + 7) == 7


def test_work_of_ollama_without_a_request_is_the_owner(ollama: Ollama) -> None:
    ollama.look()
    for second in range(40):
        ollama.use.load(0.0 if second < 30 else 180.0, second)
    assert ollama.use.idle_seconds(40) == 1


@pytest.mark.parametrize("percent", [None, 20.0])
def test_little_work_is_none(ollama: Ollama, percent: float | None) -> None:
    ollama.look()
    for second in range(60):
        ollama.use.load(percent, second)
    assert ollama.use.idle_seconds(60) == NEVER


def test_work_on_a_relayed_request_is_not_the_owner(ollama: Ollama) -> None:
    ollama.look()
    ollama.use.began("a")
    for second in range(60):
        ollama.use.load(300.0, second)
    ollama.use.ended("a", 60)
    for second in range(60, 90):
        ollama.use.load(300.0, second)
    assert ollama.use.idle_seconds(90) == NEVER
    for second in range(90, 96):
        ollama.use.load(300.0, second)
    assert ollama.use.idle_seconds(96) == 1


def test_an_end_without_a_beginning_changes_nothing(ollama: Ollama) -> None:
    ollama.look(loaded("a", 300))
    ollama.use.ended("a", 1)
    assert ollama.look(loaded("a", 310)) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T16:06:36.073704896Z", 1795363596.073704),
        ("2026-11-22T17:06:36.073704896+01:00", 1795363596.073704),
        ("2026-11-22T16:06:36Z", 1795363596.0),
        ("2318-03-05T10:11:12.5+01:00", 10987261872.5),
        (None, None),
        ("", None),
        ("soon", None),
        ("99999-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", -62135596800.0),
        ("x" * 1000, None),
    ],
)
def test_times_are_read_as_ollama_writes_them(text: str | None, seconds: float | None) -> None:
    assert expiry(text) == seconds


@given(st.text(max_size=80))
def test_no_text_makes_a_time_fail(text: str) -> None:
    assert expiry(text) is None or isinstance(expiry(text), float)
