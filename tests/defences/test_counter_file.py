"""Totals that survive a restart."""

import json
import logging
from pathlib import Path

import pytest

from idleclaw_server.counter_file import SavedCounters, read_counters, write_counters
from tests.defences.running import at, defended
from tests.router.consumer import body
from tests.router.scripted_node import registered


@pytest.fixture(autouse=True)
def _silent_log(caplog: pytest.LogCaptureFixture) -> None:
    """Warnings are what some of these tests are about."""
    caplog.set_level(logging.INFO)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def _totals(file: Path) -> dict[str, int]:
    async with defended(counters_file=file) as router, registered(router.url) as node:
        async with at(router.url) as http:
            async with http.stream("POST", "/api/chat", json=body()) as response:
                await node.answer((await node.asked()).request_id, "x")
                await response.aread()
            metrics = (await http.get("/metrics")).json()
    return {name: metrics[name] for name in ("requests_total", "nodes_registered_total")}


async def test_totals_go_on_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state" / "counters.json"
    for run in (1, 2, 3):
        assert await _totals(file) == {"requests_total": run, "nodes_registered_total": run}
    assert json.loads(file.read_text()) == {
        "requests_total": 3,
        "requests_errors_total": 0,
        "nodes_registered_total": 3,
    }
    assert _names(file.parent) == ["counters.json"]


async def test_without_a_file_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with defended():
        pass
    assert _names(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b'{"requests_total": -1}',
        b'{"requests_total": "5"}',
        b'{"requests_total": 1e400}',
        b'{"requests_total": true}',
        b'{"requests_total": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00",
        b"[" * 70_000,
    ],
)
def test_a_missing_or_broken_file_is_zero_and_a_warning(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "counters.json"
    if content is not None:
        file.write_bytes(content)
    assert read_counters(file) == SavedCounters()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(file) in caplog.messages[0]


def test_unknown_keys_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "counters.json"
    file.write_text('{"requests_total": 7, "later": {}}')
    assert read_counters(file) == SavedCounters(requests_total=7)


def test_a_file_that_cannot_be_written_is_a_warning_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    write_counters(tmp_path / "file" / "counters.json", SavedCounters())
    (tmp_path / "directory").mkdir()
    write_counters(tmp_path / "directory", SavedCounters())
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert _names(tmp_path) == ["directory", "file"]


async def test_a_router_serves_without_its_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with defended(counters_file=tmp_path) as router, at(router.url) as http:
        assert (await http.get("/health")).status_code == 200
    assert {record.levelname for record in caplog.records if "counters" in record.message} == {
        "WARNING"
    }
