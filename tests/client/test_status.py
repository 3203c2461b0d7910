"""`idleclaw-tui status`: the report, the page and the command."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from idleclaw_protocol.status import Network
from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.plain_table import Column, table
from idleclaw_tui.headless.status_page import status_page
from idleclaw_tui.network.status_report import StatusReport
from idleclaw_tui.router.answers import cleaned
from tests.client.running import run_main
from tests.fake_router_http import FakeRouter
from tests.network_pages import NETWORK, model, network, node

SERVER = "http://127.0.0.1:8000"


@pytest.fixture
async def router(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeRouter]:
    async with FakeRouter() as fake:
        monkeypatch.setenv("IDLECLAW_SERVER", fake.url)
        monkeypatch.setenv("COLUMNS", "80")
        yield fake


def page(body: dict[str, object], width: int = 80) -> list[str]:
    """Return the page's lines for an `/api/network` body, cleaned as the client does."""
    report = StatusReport.from_network(SERVER, Network.model_validate(cleaned(body)))
    return status_page(report, width).splitlines()


def test_the_page() -> None:
    assert page(NETWORK) == [
        "http://127.0.0.1:8000",
        "router 0.1.0 · up 3 h 12 m",
        "2 nodes · 4 models · 1 of 6 slots busy · 2 waiting · 52 tok/s",
        "",
        "MODEL             KIND         CONTEXT  NODES  FREE  TOK/S  1ST TOKEN",
        "large:70b         -                  -      1   2/2    4.2      9.4 s",
        "fast:3b           3.2B Q4_K_M       8k      2   3/4     48      0.6 s",
        "busy:1b           -                  -      1   0/2     99          -",
        "nomic-embed-text  -                  -      1   2/2    500          -",
        "",
        "NODE         STATE                              MODELS  BUSY    UP  TOK/S",
        "amber-otter  serving                                 1   1/2  3 h+     48",
        "calm-heron   paused (the owner needs the mac…)       1   0/2  3 h+      -",
    ]


def test_queues_are_shown_while_somebody_waits() -> None:
    lines = page(network([model("a:1b", queued=3), model("b:1b")], []))
    assert lines[6:] == [
        "MODEL  NODES  FREE  QUEUE",
        "a:1b       1   2/2      3",
        "b:1b       1   2/2      0",
    ]


def test_names_too_long_for_their_column_take_a_line() -> None:
    lines = page(network([model("hf.co/" + "x" * 58, loaded=True), model("a:1b")], []), 40)
    assert lines[6:] == [
        "MODEL  NODES  FREE",
        "hf.co/" + "x" * 33 + "…",
        "           1   2/2",
        "a:1b       1   2/2",
    ]


def test_only_the_first_nodes_are_listed() -> None:
    nodes = [node(f"n{number:03}") for number in range(30)] + [node("z", "serving")]
    lines = page(network([model("a:1b")], nodes))
    assert lines[-1] == "and 11 more: 11 idle. --json lists all."
    assert lines[-21].startswith("z ")


names = st.text(st.sampled_from("a界é🦀\u0301[/]\x1b\u202e\n"), min_size=1, max_size=64)


@given(st.lists(names, min_size=1, max_size=4), st.integers(60, 120))
def test_hostile_and_wide_names_stay_in_line(hostile: list[str], width: int) -> None:
    lines = page(
        network([model(name) for name in hostile], [node(name) for name in hostile]), width
    )
    assert all(is_unsafe(line) is None for line in lines)
    assert all(cell_len(line) <= width for line in lines[3:])
    start = next(index for index, line in enumerate(lines) if line.startswith("MODEL"))
    rows = [line for line in lines[start + 1 :] if line.endswith("2/2")]
    assert len(rows) == len(hostile)
    assert len({cell_len(line) for line in rows}) == 1


def test_a_table_of_nothing() -> None:
    assert table([Column("A", [])], 80) == []


async def test_a_router_with_the_page(
    router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    router.network = NETWORK
    ran = await run_main(capsys, "status")
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert ran.out.splitlines()[1:] == page(NETWORK)[1:]
    assert router.paths == ["/api/network"]
    ran = await run_main(capsys, "status", "--json")
    report = json.loads(ran.out)
    assert report["server"] == router.url
    assert report["models"][1]["first_token_seconds_p95"] == 1.4
    assert report["nodes"][1]["reason"] == "the owner needs the machine"


async def test_the_original_router(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    ran = await run_main(capsys, "status")
    assert ran.out.splitlines() == [
        router.url,
        "up 1 h 2 m",
        "2 nodes · 2 models · 1 running",
        "",
        "This router does not tell its nodes, free slots and speeds.",
        "",
        "MODEL    NODES",
        "big:70b      1",
        "tiny:1b      2",
    ]
    assert ran.code == ExitCode.OK
    report = json.loads((await run_main(capsys, "status", "--json")).out)
    assert report["nodes"] is None
    assert report["totals"] == {
        "nodes": 2,
        "models": 2,
        "slots_total": None,
        "running": 1,
        "queued": None,
        "tokens_per_second": None,
    }
    assert report["models"][1]["capabilities"] == ["tools"]


async def test_reachable_but_empty(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    router.network = network([], [])
    ran = await run_main(capsys, "status")
    assert ran.code == ExitCode.NO_NODE
    assert "Nobody shares a model now." in ran.out


async def test_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    ran = await run_main(capsys, "status", "--server", "http://127.0.0.1:1")
    assert (ran.code, ran.out) == (ExitCode.UNREACHABLE, "")
    assert ran.err == "No router answers at http://127.0.0.1:1. Is idleclaw-server running?\n"
