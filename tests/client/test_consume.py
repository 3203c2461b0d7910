"""`idleclaw-tui consume` against routers of both kinds."""

import io
import json
from collections.abc import AsyncIterator

import pytest

from idleclaw_tui.errors import UsageError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.answer_output import AnswerWriter, PrintedAnswer, Talk
from idleclaw_tui.router.chat_updates import Finished, TextPiece, ThinkingPiece, Waiting
from idleclaw_tui.user_input import check_model_name, check_prompt, read_prompt
from tests.client.running import Ran, run_main
from tests.fake_router_http import (
    DONE,
    ORIGINAL_DONE,
    TIMINGS,
    USAGE,
    Cut,
    FakeRouter,
    Refuse,
    finish,
    original_text,
    text,
    thinking,
    waiting,
)
from tests.network_pages import NETWORK


@pytest.fixture
async def router(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeRouter]:
    async with FakeRouter() as fake:
        monkeypatch.setenv("IDLECLAW_SERVER", fake.url)
        yield fake


async def consume(capsys: pytest.CaptureFixture[str], *extra: str) -> Ran:
    """Run `consume` with a prompt, and with a model unless `extra` names one."""
    model = () if "--model" in extra or "--any" in extra else ("--model", "tiny:1b")
    extra = tuple(word for word in extra if word != "--any")
    return await run_main(capsys, "consume", "--prompt", "Hi?", *model, *extra)


async def test_the_answer_is_all_of_stdout(
    router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    router.script = [waiting("queued", 1), thinking("hm"), text("Hel"), text("lo"), finish(), DONE]
    assert await consume(capsys) == Ran(ExitCode.OK, "Hello\n", "")
    assert router.chats[0].body["messages"] == [{"role": "user", "content": "Hi?"}]
    assert router.chats[0].body["think"] is False


async def test_talk_goes_to_stderr(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    router.script = [
        waiting("queued", 2, 6),
        waiting("queued", 2, 6),
        waiting("loading"),
        thinking("hm, "),
        thinking("so"),
        text("Hello\n"),
        finish("length"),
        DONE,
    ]
    ran = await consume(capsys, "--verbose", "--think")
    assert ran.out == "Hello\n"
    assert ran.err.splitlines() == [
        "Waiting for a free node · 2nd in line · about 6.0 s.",
        "The node loads the model.",
        "hm, so",
        "",
        "The answer ends at the length limit.",
        "5 tokens · 10 tok/s · first token 0.5 s · total 1.5 s · ended by length",
    ]
    assert router.chats[0].body["think"] is True


async def test_one_json_object(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    router.script = [thinking("hm"), text("Grü"), text("ße"), finish(), DONE]
    ran = await consume(capsys, "--json")
    assert json.loads(ran.out) == {
        "model": "tiny:1b",
        "text": "Grüße",
        "thinking": "hm",
        "finish_reason": "stop",
        "usage": USAGE,
        "timings": TIMINGS,
    }
    assert ran.out.count("\n") == 1
    assert ran.code == ExitCode.OK


async def test_the_original_router(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    router.script = [original_text("Hello"), ORIGINAL_DONE]
    assert await consume(capsys) == Ran(ExitCode.OK, "Hello\n", "")
    ran = await consume(capsys, "--json")
    assert json.loads(ran.out)["finish_reason"] is None
    router.script = [
        original_text("Hel"),
        original_text("\n\n[Error: ollama_error]"),
        ORIGINAL_DONE,
    ]
    ran = await consume(capsys)
    assert (ran.code, ran.out) == (ExitCode.CUT, "Hel\n")
    assert ran.err == "The node's Ollama failed. Ask again, or choose another model.\n"


async def test_a_cut_answer(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    router.script = [text("Hel"), Cut()]
    ran = await consume(capsys)
    assert (ran.code, ran.out) == (ExitCode.CUT, "Hel\n")
    assert ran.err.startswith("The connection to the router broke")
    ran = await consume(capsys, "--json")
    assert ran.code == ExitCode.CUT
    answer = json.loads(ran.out)
    assert answer["text"] == "Hel"
    assert answer["finish_reason"] == "error"
    assert ran.err == answer["error"] + "\n"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refuse(503, {"detail": "x", "models": ["tiny:3b"]}), ExitCode.NO_NODE),
        (Refuse(429, {"detail": "x"}, {"Retry-After": "3"}), ExitCode.RATE_LIMITED),
        (Refuse(422, {"detail": "x"}), ExitCode.FAILED),
        (Refuse(200, {"detail": "x"}), ExitCode.UNREACHABLE),
    ],
)
async def test_refusals_leave_stdout_empty(
    router: FakeRouter, capsys: pytest.CaptureFixture[str], refusal: Refuse, code: ExitCode
) -> None:
    router.refuse = refusal
    ran = await consume(capsys, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.count("\n") == 1


async def test_without_a_model_the_soonest_is_asked(
    router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    router.network = NETWORK
    ran = await consume(capsys, "--any", "-v")
    assert router.chats[0].body["model"] == "fast:3b"
    assert ran.err.startswith("Using fast:3b.\n")
    router.network = None
    await consume(capsys, "--any")
    assert router.chats[1].body["model"] == "tiny:1b"


async def test_without_a_model_on_an_empty_network(
    router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    router.models = {"models": [], "capabilities": {}}
    ran = await consume(capsys, "--any")
    assert ran.code == ExitCode.NO_NODE
    assert ran.err.startswith("No node offers a model now.")


@pytest.mark.parametrize("model", ["", "../x", "-x", "a b", "x" * 65, "evil\x1b[2J", "a:b:c"])
async def test_a_wrong_model_name_is_not_sent(
    router: FakeRouter, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    ran = await consume(capsys, f"--model={model}", "--any")
    assert ran.code == ExitCode.USAGE
    assert "is no model name. Names are like llama3.2:3b" in ran.err
    assert ran.err.rstrip("\n").isprintable()
    assert router.chats == []
    assert router.paths == []


@pytest.mark.parametrize("name", ["llama3.2:3b", "hf.co/user/model_x:Q4_K_M", "a/b", "x" * 64])
def test_names_that_ollama_allows(name: str) -> None:
    check_model_name(name)


@pytest.mark.parametrize(
    ("prompt", "line"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("x" * 10_001, "more than 10,000 characters"),
        ("\udcff", "not UTF-8"),
    ],
)
async def test_a_wrong_prompt_is_not_sent(
    router: FakeRouter, capsys: pytest.CaptureFixture[str], prompt: str, line: str
) -> None:
    ran = await run_main(capsys, "consume", "--model", "tiny:1b", "--prompt", prompt)
    assert ran.code == ExitCode.USAGE
    assert line in ran.err
    assert router.chats == []


def test_prompts_from_stdin() -> None:
    assert read_prompt("x", io.StringIO("y")) == "x"
    assert read_prompt("-", io.StringIO("two\nlines\n\n")) == "two\nlines"
    full = read_prompt("-", io.StringIO("x" * 10_000 + "\n"))
    assert len(full) == 10_000
    check_prompt(full)
    with pytest.raises(UsageError):
        check_prompt(read_prompt("-", io.StringIO("x" * 20_000)))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_prompt("-", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"))


def test_thinking_that_was_not_asked_for_is_one_notice() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    answer = AnswerWriter(PrintedAnswer(stdout), Talk(stderr, notices=True))
    for update in (
        Waiting("waiting"),
        ThinkingPiece("a"),
        ThinkingPiece("b"),
        TextPiece("x"),
        Finished(None),
    ):
        answer.show(update)
    assert stdout.getvalue() == "x\n"
    assert stderr.getvalue() == "Waiting for the first token.\nThe model is thinking.\n"
    assert answer.exit_code is ExitCode.OK
