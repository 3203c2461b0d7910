"""The file of what is shared: written whole, read strictly, never in the way."""

import json
import os
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from idleclaw_tui.atomic_file import write_atomically
from idleclaw_tui.owner.schedule import Window
from idleclaw_tui.owner.settings import DEFAULT_SETTINGS, GuardSettings, SharingSettings
from idleclaw_tui.owner.settings_file import (
    MAX_FILE_BYTES,
    SettingsFile,
    SettingsNotSaved,
    settings_path,
)

CHOSEN = SharingSettings(
    models=("llama3.2:3b",),
    max_concurrent=2,
    context_tokens=8192,
    answer_tokens=1024,
    mode="schedule",
    schedule=(Window.parse("mon-fri 22:00-07:00"),),
    tokens_a_day=100_000,
    warm_up=("llama3.2:3b",),
    exclusive_apps=("doom",),
    guards=GuardSettings(cpu=None, battery=False),
)


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "idleclaw" / "sharing.json")


def test_what_was_chosen_comes_back(file: SettingsFile) -> None:
    file.save(CHOSEN)
    again = SettingsFile(file.path)
    assert again.load() == CHOSEN
    assert again.notice is None
    assert json.loads(file.path.read_text())["schedule"] == ["mon-fri 22:00-07:00"]


def test_without_a_file_the_defaults_hold(file: SettingsFile) -> None:
    assert file.load() == DEFAULT_SETTINGS
    assert file.notice is None
    assert not file.path.parent.exists()


def test_the_defaults_are_modest() -> None:
    assert DEFAULT_SETTINGS.max_concurrent == 1
    assert DEFAULT_SETTINGS.models is None
    assert DEFAULT_SETTINGS.mode is None
    assert DEFAULT_SETTINGS.warm_up == ()
    assert DEFAULT_SETTINGS.guards.battery


def test_only_the_owner_may_read_it(file: SettingsFile) -> None:
    file.save(CHOSEN)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert os.listdir(file.path.parent) == ["sharing.json"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("", "is no JSON"),
        ("[]", "is not right"),
        ('{"max_concurent": 1}', "a setting that does not exist: max_concurent"),
        ('{"max_concurrent": 11}', "wrong value for max_concurrent"),
        ('{"models": ["../etc"]}', "wrong value for models.0: not a name"),
        ('{"mode": "sometimes"}', "wrong value for mode"),
        ('{"mode": "schedule"}', "needs times"),
        ('{"schedule": ["noon"]}', "no time like"),
        ('{"guards": {"cpu": {"stop": 1, "resume": 2}}}', "guards.cpu"),
        ('{"guards": {"keyboard": {"stop_seconds": 9, "resume_seconds": 1}}}', "guards.keyboard"),
        ('{"guards": {"gpu_temperature": {"stop": 70}}}', "guards.gpu_temperature"),
        (" " * (MAX_FILE_BYTES + 1), "is no JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_is_wrong_is_kept_aside_and_explained(
    file: SettingsFile, content: str, words: str
) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content)
    assert file.load() == DEFAULT_SETTINGS
    assert words in (file.notice or "")
    assert str(file.path) in (file.notice or "")
    assert "kept as sharing.json.broken" in (file.notice or "")
    assert file.path.with_name("sharing.json.broken").read_text() == content
    assert not file.path.exists()


def test_a_path_that_is_no_file_is_explained_and_left_alone(file: SettingsFile) -> None:
    file.path.mkdir(parents=True)
    assert file.load() == DEFAULT_SETTINGS
    assert "could not be read" in (file.notice or "")
    with pytest.raises(SettingsNotSaved, match="could not be kept"):
        file.save(CHOSEN)
    assert os.listdir(file.path.parent) == ["sharing.json"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.save(CHOSEN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsNotSaved, match="No space left"):
        file.save(DEFAULT_SETTINGS)
    assert SettingsFile(file.path).load() == CHOSEN
    assert os.listdir(file.path.parent) == ["sharing.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_atomically(tmp_path / "link.json", b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_its_place_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "idleclaw" / "sharing.json"


@pytest.mark.parametrize(
    "values",
    [
        {"max_concurrent": 0},
        {"context_tokens": 1},
        {"answer_tokens": 0},
        {"tokens_a_day": 0},
        {"warm_up": ("a b",)},
        {"exclusive_apps": ("",)},
    ],
)
def test_senseless_values_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SharingSettings.model_validate(values)
