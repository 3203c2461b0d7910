"""A real Caddy with the shipped Caddyfile, in front of a real router.

Changed are only ports, the place for its files, and who signs the certificate: Caddy's own
authority on this machine instead of a public one.
"""

import json
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
from websockets.asyncio.client import connect

from tests.programs import require_program
from tests.router.scripted_node import ScriptedNode
from tests.waiting import wait_until

CADDYFILE = Path(__file__).parents[2] / "server" / "deploy" / "Caddyfile"
PATIENCE_SECONDS = 20


def free_port() -> int:
    """Return a TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Front:
    """Caddy, as its clients see it."""

    url: str
    root: Path
    """The certificate that clients trust."""

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.root))

    @asynccontextmanager
    async def at(self, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
        """An HTTPS client whose connections come from a loopback address."""
        transport = httpx.AsyncHTTPTransport(
            local_address=address, verify=self.trust, trust_env=False
        )
        async with httpx.AsyncClient(
            base_url=self.url, transport=transport, timeout=PATIENCE_SECONDS, trust_env=False
        ) as http:
            yield http

    @asynccontextmanager
    async def node(
        self, address: str = "127.0.0.1", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[ScriptedNode]:
        """A node that has said nothing yet, connected over `wss`."""
        async with connect(
            self.url.replace("https", "wss", 1) + "/ws/node",
            ssl=self.trust,
            local_addr=(address, 0),
            additional_headers=headers,
            close_timeout=1,
            proxy=None,
        ) as connection:
            yield ScriptedNode(connection)


@asynccontextmanager
async def caddy(router_port: int, home: Path) -> AsyncIterator[Front]:
    """Run Caddy in front of the router on that port, with its files under `home`."""
    program = require_program("caddy")
    port = free_port()
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "IDLECLAW_DOMAIN": "localhost",
    }
    command = [program, "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    adapted = await anyio.run_process(command, env=environment)
    assert b'"warn' not in adapted.stderr, adapted.stderr.decode()
    config = home / "caddy.json"
    config.write_text(json.dumps(_local(json.loads(adapted.stdout), port, router_port)))
    run = [program, "run", "--config", str(config)]
    log = home / "caddy.log"
    with log.open("wb") as output:
        async with await anyio.open_process(
            run, env=environment, stdout=output, stderr=output
        ) as process:
            try:
                root = home / "caddy" / "pki" / "authorities" / "local" / "root.crt"
                await wait_until(root.exists, f"Caddy's certificate; {log} says why not", 20)
                await wait_until(
                    lambda: b"certificate obtained successfully" in log.read_bytes(),
                    "Caddy to serve",
                    20,
                )
                yield Front(f"https://localhost:{port}", root)
            finally:
                process.terminate()


def _local(config: dict[str, Any], port: int, router_port: int) -> dict[str, Any]:
    """Return the shipped configuration for ports of this test and a local authority."""
    text = json.dumps(config).replace("127.0.0.1:8000", f"127.0.0.1:{router_port}")
    changed: dict[str, Any] = json.loads(text)
    (server,) = changed["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    server["listen"] = [f"127.0.0.1:{port}"]
    server["automatic_https"] = {"disable_redirects": True}
    changed["apps"]["tls"] = {"automation": {"policies": [{"issuers": [{"module": "internal"}]}]}}
    changed["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    changed["admin"] = {"disabled": True}
    return changed
