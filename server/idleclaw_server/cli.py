"""`idleclaw-server`: argv and environment to a running router."""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from platform import python_version
from typing import Final

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from idleclaw_server.logs import configure_logging
from idleclaw_server.open_files import raise_open_files
from idleclaw_server.service import running_router
from idleclaw_server.settings import Settings

_USAGE_ERROR: Final = 2
_CANNOT_LISTEN: Final = 1
_log = logging.getLogger("idleclaw_server")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the router until SIGINT or SIGTERM; return the exit code."""
    arguments = _parser().parse_args(argv)
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        sys.stderr.write(f"idleclaw-server: {_first_fault(error)}\n")
        return _USAGE_ERROR
    configure_logging(settings.log_level, settings.log_format)
    raise_open_files()
    new_event_loop = _loop_factory()
    # What the imports made stays for good: no collection need look at it while streams wait.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_serve(settings))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    try:
        async with running_router(settings) as router:
            _log.info("listening on %s", router.url)
            await stop.wait()
            stop.clear()
            _log.info("draining for at most %g s", settings.drain_seconds)
            drained = loop.create_task(router.drain(settings.drain_seconds))
            asked_again = loop.create_task(stop.wait())
            await asyncio.wait({drained, asked_again}, return_when=asyncio.FIRST_COMPLETED)
            asked_again.cancel()
            if not drained.done():
                _log.info("asked twice: ending what still runs")
                await router.drain(0)
                await drained
    except OSError as error:
        _log.error("cannot listen on %s port %d: %s", settings.host, settings.port, error.strerror)
        return _CANNOT_LISTEN
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="idleclaw-server",
        usage="idleclaw-server [--SETTING VALUE ...]",
        description="The router of an IdleClaw network: nodes connect to it, consumers chat "
        "through it. Every setting is also an environment variable, IDLECLAW_<NAME>.",
    )
    parser.add_argument("--version", action="version", version=_versions())
    for name, field in Settings.model_fields.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="on|off" if field.annotation is bool else "VALUE",
            help=f"{field.description} (default: {shown_default(field)})",
        )
    return parser


def shown_default(field: FieldInfo) -> str:
    """Return a setting's default as its owner would write it."""
    value = field.get_default()
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, SecretStr) or value in ((), "", None):
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    name = str(fault["loc"][0])
    words = fault["msg"].removeprefix("Value error, ")
    return f"--{name.replace('_', '-')} (IDLECLAW_{name.upper()}): {words}"


def _versions() -> str:
    parts = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "pydantic"))
    return f"idleclaw-server {version('idleclaw')} (Python {python_version()}, {parts})"
