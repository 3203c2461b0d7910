"""Tests of answers run on the event loop that the router runs on."""

from tests.router.conftest import anyio_backend

__all__ = ["anyio_backend"]
