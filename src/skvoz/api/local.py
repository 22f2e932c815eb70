"""A node and its API in this process: for the app itself, and for commands where no node runs.

Both serve the home's socket, so there is one way to speak with a node, and commands can meet at one that a
command runs.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future
from pathlib import Path

from skvoz.api.caller import socket_file
from skvoz.api.home_socket import serving
from skvoz.api.locking import Locking
from skvoz.api.page import serving_page
from skvoz.api.service import Service
from skvoz.node.lending import Lend
from skvoz.node.node import Node, OpenHome, open_home, system_clock_ms
from skvoz.store.protection import AskPassphrase, Protection


@contextlib.asynccontextmanager
async def running(opened: OpenHome, lend: Lend | None = None) -> AsyncGenerator[Node]:
    """Run a node on a home that this process holds, and serve its API, until the block ends.

    `lend` runs a relay for the network around.

    A bug that stops the node cancels the block, and is raised in its place.
    """
    async with _started(opened, lend) as node, serving(Service(node), socket_file(opened.home.folder)):
        yield node


@contextlib.asynccontextmanager
async def running_with_page(
    opened: OpenHome,
    suggested_relay: str = "",
    clock_ms: Callable[[], int] = system_clock_ms,
    lend: Lend | None = None,
) -> AsyncGenerator[tuple[Service, Callable[[], str]]]:
    """Run a node likewise and serve its page too, where the home may be locked, and unlocked again.

    Gives also what makes an address that opens the page once. `suggested_relay` is the address of a relay
    that a new account may live at, as people write it.
    """
    folder = opened.home.folder
    service = Service(None, suggested_relay, clock_ms)
    locking = Locking(opened, service, clock_ms, lend)
    async with (
        locking.watching(),
        _until_broken(locking.broken),
        serving_page(service, folder, clock_ms) as address,
        serving(service, socket_file(folder)),
    ):
        yield service, address


@contextlib.asynccontextmanager
async def _started(opened: OpenHome, lend: Lend | None) -> AsyncGenerator[Node]:
    node = Node(opened, lend=lend)
    await node.start()
    try:
        async with _until_broken(node.broken):
            yield node
    finally:
        await node.close()


@contextlib.asynccontextmanager
async def _until_broken(broken: "asyncio.Future[BaseException]") -> AsyncGenerator[None]:
    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_raise_bug(broken))
            try:
                yield
            finally:
                watching.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _raise_bug(broken: "asyncio.Future[BaseException]") -> None:
    raise await broken


@contextlib.contextmanager
def hosted(home: Path, ask: AskPassphrase, protection: str) -> Generator[None]:
    """Run a node on a home on a thread of its own, and serve its API, until the block ends.

    `ask` is called on the caller's thread. Raises what `open_home` raises, `StoreError` where the socket
    can't be made, and at the end the bug that stopped the node, if any did.
    """
    with open_home(home, ask, Protection(protection)) as opened:
        ready: Future[Callable[[], object]] = Future()
        ended: Future[None] = Future()
        thread = threading.Thread(target=_host, args=(opened, ready, ended), name="skvoz-node", daemon=True)
        thread.start()
        try:
            stop = ready.result()
            try:
                yield
            finally:
                stop()
        finally:
            thread.join()
            if ended.done():
                ended.result()  # a bug says more than what the block met because of it


def _host(opened: OpenHome, ready: "Future[Callable[[], object]]", ended: "Future[None]") -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        async with running(opened):
            ready.set_result(lambda: loop.call_soon_threadsafe(told.set))
            await told.wait()

    try:
        asyncio.run(run())
    except BaseException as error:  # noqa: BLE001  # handed to the thread that waits for it
        (ended if ready.done() else ready).set_exception(error)
    else:
        ended.set_result(None)
