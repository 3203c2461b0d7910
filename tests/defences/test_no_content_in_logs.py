"""A marker is sent along every path; afterwards it may be nowhere."""

import signal
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.defences.running import at, node_at
from tests.router.consumer import Answer
from tests.router.program import program
from tests.router.raw_http import tcp
from tests.router.scripted_node import MODEL, ScriptedNode

SAID = "MARKERsaid"
NAMED = "MARKERnamed"
TOKEN = "MARKERtoken-long-enough"


async def _chat(http: httpx.AsyncClient, node: ScriptedNode, *, fail: bool) -> str:
    messages = [{"role": "user", "content": SAID}, {"role": "assistant", "content": SAID}]
    body = {"model": MODEL, "messages": messages, "think": True, SAID: SAID}
    async with http.stream("POST", "/api/chat", json=body) as response:
        request_id = (await node.asked()).request_id
        tool = {"function": {"name": SAID, "arguments": {SAID: SAID}}}
        await node.chunk(request_id, SAID, message={"thinking": SAID, "tool_calls": [tool]})
        await node.chunk(SAID, SAID)
        await node.send(type=SAID, request_id=SAID, **{SAID: SAID})
        if fail:
            await node.chunk(request_id, {"content": SAID}, message={"content": [SAID]})
        else:
            await node.done(request_id, SAID, done_reason=SAID)
        answer = Answer(response)
        return "".join(map(str, await answer.rest()))


async def _consume(url: str, node: ScriptedNode) -> None:
    async with at(url, "127.0.0.2") as http:
        for fail in (False, True):
            assert SAID in await _chat(http, node, fail=fail)
        json = {"content-type": "application/json"}
        for raw in (
            SAID.encode(),
            f'{{"model":"{SAID}","messages":[{{"role":"{SAID}","content":"{SAID}"}}]}}'.encode(),
            f'{{"model":"{MODEL}","messages":[{{"role":"user","content":"{SAID}\\ud800"}}]}}'.encode(),
            f'{{"model":"{SAID}","messages":[{{"role":"user","content":"{SAID}"}}]}}'.encode(),
        ):
            refused = await http.post("/api/chat", content=raw, headers=json)
            assert refused.status_code in (422, 503)
        headers = {"x-other": SAID, "x-forwarded-for": SAID, "accept": SAID, "origin": SAID}
        for path in (f"/{SAID}", f"/health?{SAID}={SAID}", "/metrics"):
            await http.get(path, headers=headers)
        await http.get("/admin/nodes", headers={"authorization": f"Bearer {SAID}"})


async def _send_garbage(url: str) -> None:
    for raw in (
        f"{SAID} {SAID}\r\n\r\n",
        f"GET /{SAID} HTTP/9.9\r\n{SAID}\x00: {SAID}\r\n\r\n",
        f"POST /api/chat HTTP/1.1\r\ncontent-length: {SAID}\r\n\r\n",
        f"GET /{SAID * 2000} HTTP/1.1\r\n\r\n",
        f"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: 99\r\n\r\n{SAID}",
    ):
        async with tcp(url) as stream:
            await stream.send(raw.encode())


async def _misbehave(url: str) -> None:
    for number, raw in enumerate(
        (
            SAID,
            f'["{SAID}"]',
            f'{{"type":"{SAID}"}}',
            f'{{"type":"register","node_id":["{SAID}"],"models":"{SAID}"}}',
        )
    ):
        async with node_at(url, f"127.0.1.{number + 1}") as node:
            await node.raw(raw)
            await node.close_frame()
    with suppress(InvalidStatus):
        async with node_at(url, "127.0.1.9", {"sec-websocket-protocol": SAID}):
            pass


@pytest.mark.parametrize("form", ["plain", "json"])
async def test_nothing_that_people_write_is_in_any_log(tmp_path: Path, form: str) -> None:
    """A26: prompts, answers, ids, names, headers, paths and garbage, at the level DEBUG."""
    file = tmp_path / "counters.json"
    flags = (
        "--log-level",
        "DEBUG",
        "--log-format",
        form,
        "--counters-file",
        str(file),
        "--admin-token",
        TOKEN,
    )
    async with program(*flags) as server:
        async with node_at(server.url, "127.0.0.3") as node:
            answer = await node.register(
                NAMED, [MODEL, NAMED], secret=NAMED, ollama_version_note=NAMED, features=[NAMED]
            )
            assert answer["type"] == "registered"
            await node.heartbeat(node_id=NAMED, available=True, reason=NAMED, loaded=[NAMED])
            await _consume(server.url, node)
            await _send_garbage(server.url)
            await _misbehave(server.url)
            async with at(server.url, "127.0.0.4") as http:
                pages = [
                    (await http.get(path, headers={"authorization": f"Bearer {TOKEN}"})).text
                    for path in ("/health", "/metrics", "/api/models", "/api/network")
                ]
                headers = {"accept": "text/plain", "authorization": f"Bearer {TOKEN}"}
                pages.append((await http.get("/metrics", headers=headers)).text)
                pages.append((await http.get("/admin/nodes", headers=headers)).text)
            await node.raw(f"{SAID} {{")
            await node.close_frame()
        server.process.send_signal(signal.SIGTERM)
        assert await server.exit_code() == 0
        assert server.process.stdout is not None
        assert [data async for data in server.process.stdout] == []
    assert "joined" in server.log, "the log is on"
    assert "MARKER" not in server.log
    assert SAID not in "".join(pages)
    assert "MARKER" not in file.read_text()
