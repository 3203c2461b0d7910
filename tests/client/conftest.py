"""A fake router and a client of it."""

from collections.abc import AsyncIterator

import pytest

from idleclaw_tui.router.client import RouterClient
from tests.fake_router_http import FakeRouter


@pytest.fixture
async def router() -> AsyncIterator[FakeRouter]:
    async with FakeRouter() as fake:
        yield fake


@pytest.fixture
async def client(router: FakeRouter) -> AsyncIterator[RouterClient]:
    async with RouterClient(router.url) as client:
        yield client
