"""What holds for every test of the router: it never logs a warning, let alone an exception."""

import gc
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop that the router runs on in production."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(autouse=True)
def _silent_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    gc.collect(1)
    loud = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert not loud, [(record.name, record.getMessage(), record.exc_text) for record in loud]
