"""The command line as a program: exit status, streams, signals, imports."""

import asyncio
import json
import os
import signal
import sys

import pytest

from idleclaw_tui.cli import sharing_settings
from idleclaw_tui.command_line import SHARING_MODES, read_command_line
from idleclaw_tui.errors import UsageError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.settings_file import SettingsFile, settings_path
from idleclaw_tui.sharing_settings import MODES, SharingSettings
from tests.client.running import run_main, run_program, start_program, start_python
from tests.fake_router_http import FakeRouter, Hold, text

HEAVY = ("textual", "httpx", "websockets", "ollama", "aiohttp", "pydantic", "asyncio")


async def modules_after(*argv: str, **environ: str) -> tuple[int, set[str]]:
    """Return exit status and top-level modules of a run of the command line."""
    process = await start_python(
        "-c",
        "import json, sys\n"
        "from idleclaw_tui.cli import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "print('\\n' + json.dumps([code, [n for n, m in sys.modules.items() if m]]))\n",
        *argv,
        environ=environ,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    code, modules = json.loads(out.decode().splitlines()[-1])
    return code, {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    "argv", [("--version",), ("--help",), ("consume", "--help"), ("nonsense",)]
)
async def test_help_imports_nothing_heavy(argv: tuple[str, ...]) -> None:
    _, modules = await modules_after(*argv)
    assert modules.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "argv", [("status",), ("consume", "--prompt", "Hi?", "--model", "tiny:1b")]
)
async def test_asking_without_a_screen_imports_no_textual(
    router: FakeRouter, argv: tuple[str, ...]
) -> None:
    code, modules = await modules_after(*argv, IDLECLAW_SERVER=router.url)
    assert code == ExitCode.OK
    assert "httpx" in modules
    assert modules.isdisjoint({"textual", "click"})


async def test_sharing_without_a_screen_imports_no_textual() -> None:
    source = "import sys, idleclaw_tui.headless.contribute; print('textual' in sys.modules)"
    process = await start_python("-c", source)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert out.strip() == b"False"


async def test_the_program_is_there_under_both_names() -> None:
    ran = await run_program("--version")
    assert ran.code == 0
    assert ran.out.startswith("idleclaw-tui ")


async def test_the_exit_status_is_the_modes(router: FakeRouter) -> None:
    ran = await run_program("status", IDLECLAW_SERVER="http://127.0.0.1:1")
    assert ran.code == ExitCode.UNREACHABLE
    ran = await run_program(
        "consume",
        "--prompt",
        "-",
        "--model",
        "tiny:1b",
        "--server",
        router.url,
        stdin="Grüße\n".encode(),
    )
    assert (ran.code, ran.out, ran.err) == (0, "Hello\n", "")
    assert router.chats[0].body["messages"][0]["content"] == "Grüße"


async def test_tokens_are_flushed_and_ctrl_c_ends_it(router: FakeRouter) -> None:
    router.script = [text("Hel"), Hold(asyncio.Event())]
    process = await start_program(
        "consume", "--prompt", "x", "--model", "tiny:1b", "--server", router.url
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readexactly(3), 30) == b"Hel"
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert err == b""
    await asyncio.wait_for(router.chats[0].disconnected.wait(), 10)


async def test_a_reader_that_leaves_ends_it_quietly(router: FakeRouter) -> None:
    gate = asyncio.Event()
    router.script = [text("Hel"), Hold(gate), *[text("lo")] * 1000, Hold(asyncio.Event())]
    reading, writing = os.pipe()
    process = await start_program(
        "consume",
        "--prompt",
        "x",
        "--model",
        "tiny:1b",
        "--server",
        router.url,
        stdout=writing,
    )
    os.close(writing)
    assert await asyncio.to_thread(os.read, reading, 3) == b"Hel"
    os.close(reading)
    gate.set()
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err) == (ExitCode.OK, b"")
    await asyncio.wait_for(router.chats[0].disconnected.wait(), 10)


async def test_no_screen_in_a_pipe() -> None:
    ran = await run_program()
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert ran.err.startswith("The terminal UI needs a terminal, and stdout is not one.")
    assert "idleclaw-tui consume --prompt TEXT" in ran.err
    assert "\x1b" not in ran.err


async def test_no_screen_on_a_terminal_that_cannot_draw() -> None:
    terminal, end = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "idleclaw_tui",
            stdin=end,
            stdout=end,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "TERM": "dumb"},
        )
        _, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        os.close(terminal)
        os.close(end)
    assert process.returncode == ExitCode.USAGE
    assert b"TERM says" in err


async def test_what_stdout_cannot_encode_is_replaced(router: FakeRouter) -> None:
    router.script = [text("Gr\u00fc\u00dfe \U0001f980")]
    ran = await run_program(
        "consume", "--prompt", "x", "--model", "a", "--server", router.url, PYTHONIOENCODING="ascii"
    )
    assert ran.out == "Gr??e ?\n"


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["status", "--wat"], "Unrecognized arguments: --wat. See `idleclaw-tui --help`."),
        (["consume"], "The following arguments are required: --prompt. See `idleclaw-tui consume"),
        (["contribute", "--max-concurrent", "11"], "must be a number from 1 to 10"),
        (["contribute", "--model", "../x"], "is no model name"),
        (["contribute", "--mode", "sometimes"], "invalid choice: 'sometimes'"),
        (["contribute", "--mode", "schedule"], "The command line is not right: the mode schedule"),
        (["contribute", "--schedule", "noon"], "wrong value for schedule.0: 'noon' is no time"),
        (["contribute", "--tokens-a-day", "0"], "wrong value for tokens_a_day"),
        (["contribute", "--warm-up", "a b"], "wrong value for warm_up.0"),
        (["contribute", "--ollama-host", "ftp://x"], "OLLAMA_HOST must begin with http"),
        (["local", "--model", "a b"], "is no model name"),
        (["status", "--server", "x"], "--server must begin with http:// or https://"),
        (["--server", "x", "status"], "--server must begin with http:// or https://"),
    ],
)
async def test_wrong_usage_is_one_line(
    capsys: pytest.CaptureFixture[str], argv: list[str], line: str
) -> None:
    ran = await run_main(capsys, *argv)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert line in ran.err
    assert ran.err.count("\n") == 1


def test_flags_hold_before_and_after_the_command() -> None:
    before = read_command_line(["--server", "http://a", "--ollama-host", "b", "contribute"])
    after = read_command_line(["contribute", "--server", "http://a", "--ollama-host", "b"])
    assert before == after
    assert after.server == "http://a"
    assert after.mode == "contribute"
    assert read_command_line([]).mode == "screen"
    with pytest.raises(UsageError):
        read_command_line(["status", "--ollama-host", "b"])


def test_options_win_over_the_file_for_one_run() -> None:
    file = SettingsFile(settings_path())
    file.save(SharingSettings(models=("a:1b",), max_concurrent=3, tokens_a_day=9))
    run = sharing_settings(
        read_command_line(
            ["contribute", "--model", "b:2b", "--schedule", "22:00-07:00", "--tokens-a-day", "5",
             "--warm-up", "b:2b", "--exclusive-app", "doom", "--answer-tokens", "100",
             "--context-tokens", "2048"]
        )
    )  # fmt: skip
    assert run.models == run.warm_up == ("b:2b",)
    assert (run.max_concurrent, run.tokens_a_day) == (3, 5)
    assert (run.mode, str(run.schedule[0])) == ("schedule", "22:00-07:00")
    assert run.exclusive_apps == ("doom",)
    assert (run.answer_tokens, run.context_tokens) == (100, 2048)
    assert file.load().models == ("a:1b",)


def test_without_options_the_file_holds() -> None:
    kept = SharingSettings(mode="manual", models=())
    SettingsFile(settings_path()).save(kept)
    assert sharing_settings(read_command_line(["contribute"])) == kept


def test_a_broken_file_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text("{")
    assert sharing_settings(read_command_line(["contribute"])) == SharingSettings()
    assert "is no JSON" in capsys.readouterr().err


def test_every_mode_can_be_chosen() -> None:
    assert SHARING_MODES == MODES


@pytest.mark.parametrize("command", ["", "consume", "status", "contribute", "local"])
def test_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as end:
        read_command_line([*command.split(), "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "idleclaw-tui" in out
    assert max(map(len, out.splitlines())) <= 100
