"""`idleclaw-tui local`: the whole path, from the prompt to a real model and back."""

import asyncio
import io
import sys
import threading
from contextlib import aclosing
from typing import NoReturn

import psutil
import pytest

from idleclaw_protocol.chat import ChatBody, ChatMessage
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.cli import main
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.local import network, ollama_api
from idleclaw_tui.local.background import background_network
from idleclaw_tui.local.engine import EngineError, EngineMissing
from idleclaw_tui.local.network import LocalNetworkFailed, NoEngine, local_network
from idleclaw_tui.node_events import (
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
)
from idleclaw_tui.router_client import RouterClient
from tests.client.running import start_program
from tests.fake_ollama import FakeModel, FakeOllama
from tests.local.built_in import engine_or_skip
from tests.waiting import wait_until

NOBODY = "http://127.0.0.1:9"


def missing() -> NoReturn:
    raise EngineMissing("xllamacpp")


def broken() -> NoReturn:
    raise EngineError("it would not load")


@pytest.mark.real_model
async def test_a_real_model_answers_token_by_token_through_router_and_node() -> None:
    engine_or_skip()
    events: list[NodeEvent] = []
    async with (
        local_network(NOBODY, events.append) as local,
        RouterClient(local.server) as router,
    ):
        online = await router.models()
        body = ChatBody(
            model=online.models[0], messages=(ChatMessage(role="user", content="Say hello"),)
        )
        async with aclosing(router.chat(body)) as answer:
            updates = [update async for update in answer]
        described = await router.network()
    pieces = [update.text for update in updates if isinstance(update, TextPiece)]
    last = updates[-1]
    assert isinstance(last, Finished)
    assert last.reason == "stop"
    assert last.usage is not None
    assert last.usage.completion_tokens >= len(pieces) > 3
    assert any(word.isalpha() and len(word) > 2 for word in "".join(pieces).split())
    assert described is not None
    assert (described.models[0].quantization, described.models[0].context_length) == ("Q4_1", 4096)
    done = [event for event in events if isinstance(event, RequestChanged)][-1]
    assert (done.state, done.answer_tokens) == ("done", last.usage.completion_tokens)
    assert "".join(pieces) not in repr(events)
    assert ShownAs(described.nodes[0].alias) in events
    assert events[-1] == LinkChanged("stopped")


@pytest.mark.real_model
@pytest.mark.timeout(300)  # The engine is nice: on a busy machine it gets what others leave.
@pytest.mark.parametrize("asked", [["--prompt", "Say hello"], ["--prompt", "-"], []])
async def test_local_answers_once_and_leaves_nothing_running(asked: list[str]) -> None:
    engine_or_skip()
    process = await start_program("local", *asked, environ={"OLLAMA_HOST": NOBODY})
    assert process.stdin is not None
    process.stdin.write(b"Say hello")
    process.stdin.close()
    me = psutil.Process(process.pid)
    await wait_until(lambda: bool(me.children()), "the engine to start", within=60)
    children = me.children(recursive=True)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert any(word.isalpha() for word in out.decode().split())
    assert err == b""
    assert not [child for child in children if child.is_running()]


async def test_an_ollama_that_answers_is_the_engine() -> None:
    events: list[NodeEvent] = []
    async with (
        FakeOllama(models=[FakeModel("mine:1b")]) as ollama,
        local_network(ollama.url, events.append) as local,
        RouterClient(local.server) as router,
    ):
        assert (await router.models()).models == ("mine:1b",)
        assert local.ollama_url == ollama.url
        assert "your own Ollama" in local.label
    assert any(isinstance(event, ModelsChanged) for event in events)


async def test_an_ollama_without_models_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_api, "find_model", missing)
    async with FakeOllama(models=[]) as ollama:
        with pytest.raises(NoEngine):
            async with local_network(ollama.url, lambda event: None):
                pytest.fail("started without a model")


def test_without_any_engine_both_ways_out_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ollama_api, "find_model", missing)
    code = main(["--ollama-host", NOBODY, "local", "--prompt", "hello"])
    out, err = capsys.readouterr()
    assert (code, out) == (ExitCode.OLLAMA_UNREACHABLE, "")
    assert "ollama pull" in err
    assert "--extra local" in err
    assert err.count("\n") == 1


async def test_an_engine_that_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_api, "find_model", broken)
    with pytest.raises(LocalNetworkFailed, match="it would not load"):
        async with local_network(NOBODY, lambda event: None):
            pytest.fail("started without an engine")


async def test_a_node_that_cannot_join_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_JOIN_SECONDS", 0.2)
    async with FakeOllama(models=[FakeModel("mine:1b")]) as ollama:
        ollama.refusals["/api/version"] = (500, "broken")
        with pytest.raises(LocalNetworkFailed, match="did not join"):
            async with local_network(ollama.url, lambda event: None):
                pytest.fail("started without a node")


async def test_in_the_background_it_has_a_thread_of_its_own_and_ends_with_the_block() -> None:
    threads: set[int] = set()

    def visit(url: str) -> str:
        with background_network(url, lambda event: threads.add(threading.get_ident())) as local:
            return local.server

    async with FakeOllama(models=[FakeModel("mine:1b")]) as ollama:
        server = await asyncio.to_thread(visit, ollama.url)
    assert threads
    assert threading.get_ident() not in threads
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(server.rpartition(":")[2]))
    assert not [t for t in threading.enumerate() if t.name == "local network"]


def test_in_the_background_a_failed_start_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_api, "find_model", missing)
    with pytest.raises(NoEngine), background_network(NOBODY, lambda event: None):
        pytest.fail("started without an engine")


def test_a_terminal_without_a_prompt_on_a_pipe_is_told_what_to_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert main(["local"]) == ExitCode.USAGE
    assert "local --prompt TEXT" in capsys.readouterr().err
