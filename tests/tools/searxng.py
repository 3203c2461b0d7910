"""A search engine that answers in SearXNG's form, with faults that are switched at run time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

RESULT = {
    "url": "https://example.org/otters",
    "title": "Otters",
    "content": "Otters hold hands.",
    "engine": "duckduckgo",
    "score": 1.0,
    "category": "general",
}


class SearxNG:
    """Answers `GET /search`; change the attributes to change what it answers.

    Attributes:
        asked: the parameters of every request.
        elsewhere: how many requests came for any other path.
        results: what is found.
        body: sent instead of an answer, if set.
        gate: requests wait for it.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.elsewhere = 0
        self.results: list[Any] = [RESULT]
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    async def search(self, request: web.Request) -> web.Response:
        """Answer a search."""
        self.asked.append(dict(request.query))
        await self.gate.wait()
        answer = {
            "query": request.query.get("q", ""),
            "number_of_results": len(self.results),
            "results": self.results,
            "answers": [],
            "suggestions": [],
            "unresponsive_engines": [],
        }
        body = json.dumps(answer).encode() if self.body is None else self.body
        return web.Response(
            body=body,
            status=self.status,
            headers=self.headers,
            content_type="application/json",
        )

    async def other(self, request: web.Request) -> web.Response:
        """Count a request that should not have come."""
        self.elsewhere += 1
        return web.json_response({"results": [RESULT]})


@asynccontextmanager
async def searching(path: str = "") -> AsyncIterator[SearxNG]:
    """A search engine on a free port of this machine, below `path`."""
    engine = SearxNG()
    app = web.Application()
    app.router.add_get(f"{path}/search", engine.search)
    app.router.add_route("*", "/{path:.*}", engine.other)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    engine.url = f"http://{host}:{port}{path}"
    try:
        yield engine
    finally:
        engine.gate.set()
        await runner.cleanup()
