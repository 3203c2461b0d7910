"""The command line of `idleclaw-tui`: commands, options and the help to learn them from."""

import argparse
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from idleclaw_protocol.limits import MAX_CONCURRENT, MIN_CONCURRENT
from idleclaw_tui.errors import UsageError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.settings import DEFAULT_OLLAMA_HOST, DEFAULT_SERVER

PROGRAM: Final = "idleclaw-tui"
COMPLETED_SHELLS: Final = ("bash", "zsh")
SHARING_MODES: Final = ("idle", "always", "schedule", "manual")

AddParser = Callable[..., argparse.ArgumentParser]

DESCRIPTION: Final = """\
Chat with the models that other people's machines share, and share your own.

Without a command the terminal UI opens: Chat, Network, Contribute. The commands do the same
without a screen, for scripts and servers. What you send is read in clear by the router and by
the node that answers: send no secrets."""

EPILOG: Final = f"""\
examples:
  {PROGRAM}                                          open the terminal UI
  {PROGRAM} local                                    try everything on this machine alone
  {PROGRAM} consume --prompt "Why is the sky blue?"  ask the fastest model, print its answer
  git diff | {PROGRAM} consume --model llama3.2:3b --prompt -
  {PROGRAM} status --watch                           what the network can do, as it changes
  {PROGRAM} status --why llama3.2:3b                 whether a chat would start at once
  {PROGRAM} contribute                               share this machine's Ollama

variables (flags win over them):
  IDLECLAW_SERVER   the router (default {DEFAULT_SERVER})
  OLLAMA_HOST       your Ollama (default {DEFAULT_OLLAMA_HOST})
  IDLECLAW_KEYMAP   a file with keys of your own; TEXTUAL_ANIMATIONS=none: nothing moves

exit status:
  0 done   1 failed   2 wrong usage   3 no router   4 no node can answer   5 too many requests
  6 the answer was cut   7 no Ollama   130 interrupted"""


def read_command_line(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options, `mode` among them: screen or one of the commands.

    Raises `UsageError` for what it does not know, and `SystemExit` after `--help`.
    """
    return _parser().parse_args(argv)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="store_true", help="print the versions of it and its parts, and exit"
    )
    _add_server(parser, default=None)
    _add_ollama_host(parser, default=None)
    _add_mouse(parser, default=True)
    parser.set_defaults(mode="screen")
    add = parser.add_subparsers(title="commands", metavar="COMMAND").add_parser
    _add_consume(add)
    _add_status(add)
    _add_contribute(add)
    _add_local(add)
    _add_skill(add)
    _add_completion(add)
    return parser


def completion(shell: str) -> str:
    """Return the script that lets a shell of `COMPLETED_SHELLS` complete this command line."""
    import shtab

    script: str = shtab.complete(_parser(), shell=shell)
    return script


def _add_consume(add: AddParser) -> None:
    parser = add(
        "consume",
        help="ask once and print the answer",
        description="Ask once. The answer goes to stdout as it comes, everything else to stderr.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--prompt", required=True, metavar="TEXT", help="what to ask; - reads it from stdin"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a model that is online (see status); without it, the one that would answer soonest",
    )
    parser.add_argument(
        "--think", action="store_true", help="let the model think first; thoughts go to stderr"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one object at the end: model, text, thinking, finish_reason, usage, timings "
        "(seconds), error",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="say how it went, also where stderr is a file"
    )
    _add_server(parser, default=argparse.SUPPRESS)
    parser.set_defaults(mode="consume")


def _add_status(add: AddParser) -> None:
    parser = add(
        "status",
        help="what the network can do right now",
        description="Print the router's state: nodes, models, free slots and speeds. "
        f"The exit status is {ExitCode.OK:d} where a chat could be answered, "
        f"{ExitCode.UNREACHABLE:d} where no router answers, {ExitCode.NO_NODE:d} where nobody "
        "shares a model (with --why: that model).",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--json", action="store_true", help="print one object; with --watch, one a line"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--watch",
        action="store_true",
        help="go on until Ctrl+C: redraw the page, or print a line a change where stdout is no "
        "terminal",
    )
    kind.add_argument(
        "--why",
        metavar="MODEL",
        help="say whether and how fast a chat with that model would be served now",
    )
    _add_server(parser, default=argparse.SUPPRESS)
    parser.set_defaults(mode="status")


def _add_contribute(add: AddParser) -> None:
    parser = add(
        "contribute",
        help="share this machine's Ollama",
        description="Share this machine's Ollama until Ctrl+C: the first lets running requests "
        "end, a second leaves at once. Whenever you need the machine yourself, it pauses. Options "
        "win over what the Contribute tab has kept, for this run.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="share only this model; may be given several times (default: all local models)",
    )
    parser.add_argument(
        "--max-concurrent",
        type=_slots,
        metavar="N",
        help=f"requests to serve at once, {MIN_CONCURRENT} to {MAX_CONCURRENT} (default: 1)",
    )
    _add_owner_first(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object an event")
    _add_server(parser, default=argparse.SUPPRESS)
    _add_ollama_host(parser, default=argparse.SUPPRESS)
    parser.set_defaults(mode="contribute")


def _add_owner_first(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        dest="sharing_mode",
        choices=SHARING_MODES,
        help="idle: while nobody uses this machine; always; schedule: at the times of --schedule; "
        "manual: until you stop it (default: idle on a desktop, always without one)",
    )
    parser.add_argument(
        "--schedule",
        action="append",
        metavar="TIMES",
        help='when to share, as in "22:00-07:00" or "sat-sun 09:00-18:00"; may be given several '
        "times",
    )
    parser.add_argument(
        "--tokens-a-day", type=int, metavar="N", help="stop for the day after N tokens of answers"
    )
    parser.add_argument(
        "--context-tokens", type=int, metavar="N", help="take no conversation longer than N tokens"
    )
    parser.add_argument(
        "--answer-tokens", type=int, metavar="N", help="no answer longer than N (default: 4096)"
    )
    parser.add_argument(
        "--warm-up", action="append", metavar="NAME", help="load this model before sharing"
    )
    parser.add_argument(
        "--exclusive-app",
        action="append",
        metavar="PROGRAM",
        help="share nothing while a program of this name runs; may be given several times",
    )


def _add_local(add: AddParser) -> None:
    parser = add(
        "local",
        help="try everything on this machine alone",
        description="Start a router and a node on this machine and open the terminal UI on them. "
        "The model is your Ollama's; without an Ollama, a small embedded one.",
        allow_abbrev=False,
    )
    parser.add_argument("--prompt", metavar="TEXT", help="answer this on stdout and end")
    parser.add_argument("--model", metavar="NAME", help="the model to ask")
    _add_mouse(parser, default=argparse.SUPPRESS)
    parser.set_defaults(mode="local")


def _add_skill(add: AddParser) -> None:
    parser = add(
        "skill",
        help="teach a coding agent to use these commands",
        description="Print a SKILL.md that tells a coding agent how to use consume, status and "
        "contribute, with their exit statuses and limits; or put it where the agent looks.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--install", metavar="DIR", help="write it to DIR/idleclaw/SKILL.md and print that path"
    )
    parser.set_defaults(mode="skill")


def _add_completion(add: AddParser) -> None:
    parser = add(
        "completion",
        help="complete this command line with Tab",
        description=f'Print a script for your shell. For bash: eval "$({PROGRAM} completion bash)"',
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=COMPLETED_SHELLS)
    parser.set_defaults(mode="completion")


def _add_server(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument("--server", metavar="URL", default=default, help="the router's address")


def _add_ollama_host(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument("--ollama-host", metavar="HOST", default=default, help="where Ollama is")


def _add_mouse(parser: argparse.ArgumentParser, default: bool | str) -> None:
    parser.add_argument(
        "--no-mouse",
        dest="mouse",
        action="store_false",
        default=default,
        help="leave the mouse to the terminal, for its own way of selecting",
    )


def _slots(text: str) -> int:
    if text.isascii() and text.isdigit() and MIN_CONCURRENT <= int(text[:9]) <= MAX_CONCURRENT:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a number from {MIN_CONCURRENT} to {MAX_CONCURRENT}")
