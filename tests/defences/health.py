"""How long `/health` takes, by a client that does as little as one can."""

import socket
import time

REQUEST = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
_PATIENCE_SECONDS = 10


def health_seconds(port: int, address: str = "127.0.0.1") -> float:
    """Ask on a connection of its own and return how long it took, until the server closed it."""
    began = time.perf_counter()
    with socket.create_connection(
        ("127.0.0.1", port), _PATIENCE_SECONDS, source_address=(address, 0)
    ) as stream:
        stream.sendall(REQUEST)
        answer = b""
        while data := stream.recv(65_536):
            answer += data
    took = time.perf_counter() - began
    assert answer.startswith(b"HTTP/1.1 200"), answer[:80]
    return took


def distribution(waits: list[float], limit: float) -> str:
    """Return median, p95, p99 and the longest in ms, and how many are above `limit` seconds."""
    ordered = sorted(waits)
    named = (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
    parts = [f"{name} {1000 * ordered[int(len(ordered) * share)]:.1f}" for name, share in named]
    above = sum(wait > limit for wait in ordered)
    return (
        f"{', '.join(parts)}, longest {1000 * ordered[-1]:.1f} ms, "
        f"{above} of {len(ordered)} above {1000 * limit:.0f} ms"
    )
