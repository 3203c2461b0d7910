"""The form over the owner's settings: what may be typed, and what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.owner.guards import PauseReason
from idleclaw_tui.owner.schedule import Window
from idleclaw_tui.owner.settings import (
    GuardSettings,
    LoadGuard,
    MemoryGuard,
    QuietGuard,
    SharingSettings,
)
from idleclaw_tui.sharing.limit_fields import FIELDS, form_values, read_form
from idleclaw_tui.sharing.limit_words import limit_lines, rule

USUAL = SharingSettings()
ODD = SharingSettings(
    models=("a:1b",),
    mode="schedule",
    schedule=(Window.parse("22:00-07:00"), Window.parse("mon,wed 09:00-10:00")),
    tokens_a_day=5,
    warm_up=("a:1b",),
    exclusive_apps=("doom", "x y"),
    guards=GuardSettings(
        battery=False,
        keyboard=QuietGuard(stop_seconds=0.5, resume_seconds=12.5),
        owner_pause_seconds=None,
        cpu=LoadGuard(stop=33.3, resume=33, stop_seconds=1, resume_seconds=2),
        gpu=None,
        gpu_temperature=None,
        memory=MemoryGuard(least_gib=0.25, least_percent=1),
    ),
)


@pytest.mark.parametrize("settings", [USUAL, ODD], ids=["usual", "odd"])
def test_a_form_that_is_not_touched_changes_nothing(settings: SharingSettings) -> None:
    assert read_form(settings, form_values(settings)).settings == settings


@pytest.mark.parametrize("settings", [USUAL, ODD], ids=["usual", "odd"])
@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("schedule", "at night", "is no time like"),
        ("schedule", "mox 10:00-11:00", "is no day"),
        ("schedule", "25:00-26:00", "no time of the day"),
        ("max_concurrent", "0", "from 1 to 10"),
        ("max_concurrent", "", "from 1 to 10"),
        ("max_concurrent", "2.5", "from 1 to 10"),
        ("max_concurrent", "9" * 400, "from 1 to 10"),
        ("max_concurrent", "\u0662", "from 1 to 10"),
        ("context_tokens", "8k", "or nothing for the model's own"),
        ("answer_tokens", "-1", "from 1 to 131,072"),
        ("tokens_a_day", "much", "or nothing for no limit"),
        ("exclusive_apps", "x" * 101, "at most 100 characters"),
        ("keyboard", "soon", "from 1 to 86,400"),
        ("owner_pause_seconds", "1e9", "from 0 to 86,400"),
        ("cpu", "101", "from 1 to 100"),
        ("gpu_temperature", "900", "from 30 to 150"),
        ("memory", "nan", "from 0 to 4,096"),
        ("memory", "all", "from 0 to 4,096"),
    ],
)
def test_what_cannot_be_used_is_explained(
    settings: SharingSettings, key: str, text: str, said: str
) -> None:
    reading = read_form(settings, form_values(settings) | {key: text})
    assert reading.settings is None
    assert said in reading.errors[key]
    assert list(reading.errors) == [key]


def test_every_error_is_told_at_once() -> None:
    typed = form_values(USUAL) | {"max_concurrent": "x", "cpu": "x", "memory": "x"}
    assert set(read_form(USUAL, typed).errors) == {"max_concurrent", "cpu", "memory"}


def test_thresholds_move_where_sharing_goes_on_with_them() -> None:
    typed = form_values(USUAL) | {"keyboard": "10", "cpu": "10", "gpu": "", "gpu_temperature": "60"}
    settings = read_form(USUAL, typed).settings
    assert settings is not None
    assert settings.guards.keyboard == QuietGuard(stop_seconds=10, resume_seconds=10)
    assert settings.guards.cpu == LoadGuard(stop=10, resume=5, stop_seconds=20, resume_seconds=60)
    assert settings.guards.gpu is None
    assert settings.guards.gpu_temperature is not None
    assert settings.guards.gpu_temperature.resume == 50


@given(st.dictionaries(st.sampled_from([field.key for field in FIELDS]), st.text(max_size=30)))
def test_whatever_is_typed_gives_settings_or_an_error_by_its_field(typed: dict[str, str]) -> None:
    options = {field.key for field in FIELDS if field.options}
    texts = {key: text for key, text in typed.items() if key not in options}
    reading = read_form(USUAL, form_values(USUAL) | texts)
    assert (reading.settings is None) == bool(reading.errors)
    assert set(reading.errors) <= {field.key for field in FIELDS}
    if reading.settings is not None:
        again = read_form(reading.settings, form_values(reading.settings))
        assert again.settings == reading.settings


def test_the_limits_at_a_glance() -> None:
    said = {line[0].text.strip(): line[1].text for line in limit_lines(ODD, None)}
    assert said["share"] == "at set times"
    assert said["hours"] == "22:00-07:00; mon,wed 09:00-10:00"
    assert said["a day"] == "5 tokens"
    assert said["not beside"] == "doom, x y"
    said = {line[0].text.strip(): line[1].text for line in limit_lines(USUAL, "idle")}
    assert (said["share"], said["at once"]) == ("only when idle", "1 request")
    assert limit_lines(USUAL, None)[0][1].text == "automatically"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("paused_by_user", ""),
        ("quota_day", "stops at 5, until midnight"),
        ("on_battery", "goes on 60 s after it is plugged in"),
        ("owner_inference", "goes on 5 min after it"),
        ("exclusive_app", "goes on 60 s after they end"),
        ("gpu_busy", "stops above 15 %, goes on below 5 %"),
        ("too_hot", "stops at 83 °C, goes on at 72 °C"),
        ("low_memory", "stops below 2 GiB or 10 %"),
    ],
)
def test_every_guard_has_its_rule(reason: PauseReason, said: str) -> None:
    assert rule(reason, SharingSettings(tokens_a_day=5)) == said
