"""`idleclaw-tui`: reads the command line and starts a screen, or one of the modes without.

What a mode needs is imported only when it runs: `--help` imports no HTTP, and only the screen
imports Textual.
"""

import argparse
import atexit
import gc
import io
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

from idleclaw_tui.command_line import PROGRAM, completion, read_command_line
from idleclaw_tui.errors import IdleClawError, UsageError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.settings import Settings, read_settings
from idleclaw_tui.user_input import STDIN, check_model_name, read_prompt

if TYPE_CHECKING:
    from idleclaw_tui.sharing_settings import SharingSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status of the process."""
    _write_what_the_terminal_can()
    _leave_out_the_command_of_httpx()
    # What is left at the end goes with the process: no need to look through it for garbage.
    atexit.register(gc.freeze)
    try:
        options = read_command_line(argv)
        code = _version() if options.version else _MODES[options.mode](options)
        sys.stdout.flush()
    except IdleClawError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return ExitCode.OK
    return code


def _settings(options: argparse.Namespace) -> Settings:
    return read_settings(os.environ, server=options.server, ollama_host=options.ollama_host)


def _ollama_url(settings: Settings) -> str:
    from idleclaw_tui.ollama_host import parse_ollama_host

    address = parse_ollama_host(settings.ollama_host)
    if address.warning is not None:
        sys.stderr.write(f"{address.warning}\n")
    return address.url


_PARTS: Final = ("textual", "httpx", "websockets", "ollama", "pydantic")
"""Packages whose versions matter in a report of a fault."""


def _screen(options: argparse.Namespace) -> int:
    settings = _settings(options)
    _require_terminal()
    ollama_url = _ollama_url(settings)
    from idleclaw_tui.full_screen import run_app

    return run_app(settings.server, ollama_url, mouse=options.mouse)


def _consume(options: argparse.Namespace) -> int:
    settings = _settings(options)
    from idleclaw_tui.headless.answer_output import Talk
    from idleclaw_tui.headless.consume import consume

    notices = options.verbose or sys.stderr.isatty()
    if options.prompt == STDIN and sys.stdin.isatty():
        sys.stderr.write("Type the prompt; Ctrl+D on an empty line sends it.\n")
    return _run(
        consume(
            settings.server,
            model=options.model,
            prompt=read_prompt(options.prompt, sys.stdin),
            think=options.think,
            json_object=options.json,
            stdout=sys.stdout,
            talk=Talk(sys.stderr, notices, options.verbose, options.think or options.verbose),
        )
    )


def _status(options: argparse.Namespace) -> int:
    settings = _settings(options)
    from idleclaw_tui.headless.status import status, watch_status, why

    if options.why is not None:
        check_model_name(options.why)
        looking = why(settings.server, options.why, json_object=options.json, stdout=sys.stdout)
    elif options.watch:
        looking = watch_status(
            settings.server, json_objects=options.json, stdout=sys.stdout, stderr=sys.stderr
        )
    else:
        looking = status(settings.server, json_object=options.json, stdout=sys.stdout)
    return _run(looking)


def _contribute(options: argparse.Namespace) -> int:
    settings = _settings(options)
    for name in options.model or ():
        check_model_name(name)
    ollama_url = _ollama_url(settings)
    from idleclaw_tui.headless.contribute import contribute
    from idleclaw_tui.this_machine import this_machine

    return _run(
        contribute(
            settings.server,
            ollama_url,
            sharing_settings(options),
            this_machine(ollama_url),
            json_lines=options.json,
        )
    )


def sharing_settings(options: argparse.Namespace) -> "SharingSettings":
    """Return what the owner's file says, with the options of this run in its place."""
    from pydantic import ValidationError

    from idleclaw_tui.settings_file import SettingsFile, settings_path
    from idleclaw_tui.sharing_settings import changed, first_problem

    file = SettingsFile(settings_path())
    kept = file.load()
    if file.notice is not None:
        sys.stderr.write(f"{file.notice}\n")
    given = {
        "models": options.model,
        "max_concurrent": options.max_concurrent,
        "mode": options.sharing_mode or ("schedule" if options.schedule else None),
        "schedule": options.schedule,
        "tokens_a_day": options.tokens_a_day,
        "context_tokens": options.context_tokens,
        "answer_tokens": options.answer_tokens,
        "warm_up": options.warm_up,
        "exclusive_apps": options.exclusive_app,
    }
    try:
        return changed(kept, **{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError(
            f"The command line {first_problem(error)}. See `{PROGRAM} contribute --help`."
        ) from None


def _local(options: argparse.Namespace) -> int:
    if options.model is not None:
        check_model_name(options.model)
    ollama_url = _ollama_url(_settings(options))
    from idleclaw_tui.local.command import run_local

    return run_local(ollama_url, prompt=options.prompt, model=options.model, mouse=options.mouse)


def _skill(options: argparse.Namespace) -> int:
    from idleclaw_tui.headless.skill import show_or_install

    return show_or_install(options.install)


def _completion(options: argparse.Namespace) -> int:
    sys.stdout.write(f"{completion(options.shell)}\n")
    return ExitCode.OK


_MODES: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "screen": _screen,
    "consume": _consume,
    "status": _status,
    "contribute": _contribute,
    "local": _local,
    "skill": _skill,
    "completion": _completion,
}


def _run(mode: Coroutine[object, object, ExitCode]) -> ExitCode:
    import asyncio

    return asyncio.run(mode)


def _version() -> int:
    from importlib.metadata import version
    from platform import python_version

    parts = ", ".join(f"{name} {version(name)}" for name in _PARTS)
    sys.stdout.write(f"{PROGRAM} {version('idleclaw')}\nPython {python_version()}, {parts}\n")
    return ExitCode.OK


def _require_terminal() -> None:
    """Raise `UsageError` where a screen would only send escape codes into a pipe or a file."""
    problem = None
    if not sys.stdout.isatty():
        problem = "stdout is not one"
    elif not sys.stdin.isatty():
        problem = "stdin is not one"
    elif os.environ.get("TERM") == "dumb":
        problem = "TERM says that this one can draw nothing (dumb)"
    if problem is not None:
        raise UsageError(
            f"The terminal UI needs a terminal, and {problem}. Without a screen: "
            f"`{PROGRAM} consume --prompt TEXT`, `{PROGRAM} status`, `{PROGRAM} contribute`."
        )


def _write_what_the_terminal_can() -> None:
    """Print a replacement where stdout or stderr cannot encode a character, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _leave_out_the_command_of_httpx() -> None:
    """Spare the process click and rich, which httpx imports for a command line of its own.

    Where that import fails httpx does without; and it fails for a module that is None in
    `sys.modules` (Python's reference, section "The module cache").
    """
    cast("dict[str, ModuleType | None]", sys.modules).setdefault("httpx._main", None)


def _forget_stdout() -> None:
    """Let the interpreter's last flush of a stdout whose reader left go nowhere."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
