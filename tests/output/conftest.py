"""Tests of answers run on the event loop that the router runs on."""

import pytest


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop that the router runs on in production."""
    return "asyncio", {"use_uvloop": True}
