"""The day's tokens: counted over restarts, begun anew at midnight, and never a reason to fail."""

import logging
from datetime import date
from pathlib import Path

import pytest

from idleclaw_tui.sharing.day_count import DayCount, count_path, load_count, save_count

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)


def test_a_count_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "today.json"
    save_count(path, DayCount(TODAY).plus(100, 1, TODAY).plus(20, 0, TODAY))
    assert load_count(path, TODAY) == DayCount(TODAY, 120, 1)
    assert load_count(path, TOMORROW) == DayCount(TOMORROW)


def test_midnight_begins_at_nothing() -> None:
    assert DayCount(TODAY, 500, 5).plus(7, 1, TOMORROW) == DayCount(TOMORROW, 7, 1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"day": "x"}', '{"tokens": -1}'])
def test_a_damaged_count_begins_at_nothing(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "today.json"
    path.write_text(content)
    assert load_count(path, TODAY) == DayCount(TODAY)
    assert "begins at nothing" in caplog.text


def test_a_disk_that_refuses_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        save_count(tmp_path, DayCount(TODAY))
    assert "could not be kept" in caplog.text


def test_without_a_file_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_count(tmp_path / "none.json", TODAY) == DayCount(TODAY)
    assert not caplog.records


def test_its_place_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert count_path() == tmp_path / "idleclaw" / "today.json"
