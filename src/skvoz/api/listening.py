"""Sockets that the API listens on, and uvicorn on them, quiet and without its signal handlers."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from skvoz.api import protocol
from skvoz.base.errors import StoreError

LOOPBACK: Final = "127.0.0.1"
"""Nobody on another machine reaches it, and unlike a name it can't be made to lead elsewhere."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: who runs a node decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield


@contextlib.asynccontextmanager
async def served(application: ASGIApp, listening: socket.socket) -> AsyncGenerator[None]:
    """Serve an application on a socket that listens already, until the block ends."""
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level=logging.CRITICAL,  # uvicorn's logger prints addresses and paths
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=protocol.REQUEST_SIZE_MAX,
        ws_ping_interval=None,  # on one machine the system tells when the other end is gone
        ws_per_message_deflate=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


@contextlib.contextmanager
def private_socket(file: Path) -> Generator[socket.socket]:
    """Listen on a Unix socket that only this user can reach, in place of a dead one; raise `StoreError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        try:
            file.unlink(missing_ok=True)
            # Between bind and chmod the folder's own 0700 keeps others out.
            listening.bind(str(file))
            file.chmod(0o600)
            listening.listen()
        except OSError as error:
            why = error.strerror or "its path is too long"
            raise StoreError(f"the API's socket can't be made: {why}") from None
        try:
            yield listening
        finally:
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def loopback_socket(wished_port: int) -> Generator[socket.socket]:
    """Listen at this machine's own address, at the wished port where it is free; raise `StoreError`."""
    # Named, since asyncio switches Nagle's algorithm off for that protocol only: an answer would take 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name == "posix":  # elsewhere it would let two processes have one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            try:
                listening.bind((LOOPBACK, wished_port))
            except OSError:
                listening.bind((LOOPBACK, 0))
            listening.listen()
        except OSError as error:
            raise StoreError(f"the page can't be served on this machine: {error.strerror}") from None
        yield listening
