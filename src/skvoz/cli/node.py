"""`skvoz` alone: the node of this home and its page, until it is told to end."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator

import click

from skvoz.api.local import running_with_page
from skvoz.api.params import NoParams
from skvoz.api.protocol import CallFailed
from skvoz.api.views import PageView
from skvoz.base.errors import HomeBusy
from skvoz.base.value import Value
from skvoz.cli.browser import open_page, open_page_and_forget, print_address, shall_open
from skvoz.cli.desk import Desk, ask_passphrase, can_ask
from skvoz.cli.lending import lend
from skvoz.cli.neighbours import neighbours
from skvoz.client.relay_addresses import parse_relay_address
from skvoz.node.node import OpenHome, hold_home, open_home
from skvoz.store.protection import kind_of
from skvoz.texts import say


class PageWish(Value, frozen=True, kw_only=True):
    """What somebody wants of the page: whether a browser opens it, and which relay it suggests."""

    opens: bool | None = None
    suggested_relay: str = ""


def run_node(desk: Desk, wish: PageWish) -> None:
    """Run the node of a home until SIGTERM or Ctrl-C; where it runs already, open its page once more."""
    if wish.suggested_relay:
        parse_relay_address(wish.suggested_relay)
    try:
        opened = opened_or_held(desk)
    except HomeBusy:
        if not open_again(desk, wish):
            raise
        return
    with opened:
        asyncio.run(_run(opened, wish))


def opened_or_held(desk: Desk) -> OpenHome:
    """Open a home; leave one locked whose passphrase nobody can be asked for here: its page asks."""
    key_file = desk.folder / "key.json"
    if key_file.exists() and not can_ask() and kind_of(key_file) == "passphrase":
        return hold_home(desk.folder)
    return open_home(desk.folder, ask_passphrase)


def open_again(desk: Desk, wish: PageWish) -> bool:
    """Open the page of a node that runs; tell whether one runs. Raises `HomeBusy` where it has no page."""
    caller = desk.running_node()
    if caller is None:
        return False
    try:
        address = caller.call("node.page", NoParams(), PageView).address
    except CallFailed:
        raise HomeBusy("your node runs already") from None
    click.echo(say("Your node runs already."))
    print_address(address)
    if shall_open(wished=wish.opens):
        open_page(desk.folder, address)
    return True


async def _run(opened: OpenHome, wish: PageWish) -> None:
    async with (
        running_with_page(opened, wish.suggested_relay, lend=lend) as (service, address),
        shown(opened, wish, address()),
        neighbours(service, opened.home.folder, wish.suggested_relay),
    ):
        click.echo(say("Your node runs. Ctrl-C ends it."))
        await until_told_to_end(service.removed)


@contextlib.asynccontextmanager
async def shown(opened: OpenHome, wish: PageWish, address: str) -> AsyncGenerator[None]:
    """Say where the page is, and open it, until the block ends."""
    print_address(address)
    opening = None
    if shall_open(wished=wish.opens):
        opening = asyncio.create_task(open_page_and_forget(opened.home.folder, address))
    try:
        yield
    finally:
        if opening is not None:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)


async def until_told_to_end(told: asyncio.Event) -> None:
    """Wait for SIGTERM or SIGINT, or until `told` is set: the home was removed."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers
            loop.add_signal_handler(number, told.set)
    await told.wait()
