"""The same rules as for every test of the router."""

from tests.router.conftest import _silent_log, anyio_backend

__all__ = ["_silent_log", "anyio_backend"]
