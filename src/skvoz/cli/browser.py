"""Opens the page in the person's browser.

The address carries a token that works once within a minute. Other people on this machine can read the
arguments of programs, so the browser is given a private file that leads there, where it can read one.
"""

import asyncio
import contextlib
import os
import sys
import webbrowser
from html import escape
from pathlib import Path
from typing import Final

import click

from skvoz.api.page_sessions import START_LIFETIME_MS
from skvoz.store.home import write_private_file
from skvoz.texts import say

_DOOR: Final = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>Skvoz</title>
"""


def shall_open(*, wished: bool | None) -> bool:
    """Tell whether to open a browser: as wished, else where a person sits at a terminal with a screen."""
    if wished is not None:
        return wished
    has_screen = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return has_screen and sys.stdout is not None and sys.stdout.isatty()


def print_address(address: str) -> None:
    """Say where the page is."""
    click.echo(say("Your page is at this address, which works once and for a minute:"))
    click.echo(f"  {address}")


def open_page(home: Path, address: str) -> bool:
    """Open the page; tell whether a browser was found."""
    door = home / "open.html"
    target = address
    # A browser in a snap can't read hidden folders.
    if not Path("/snap/bin").exists():
        with contextlib.suppress(OSError):
            write_private_file(door, _DOOR.format(address=escape(address)).encode())
            target = door.absolute().as_uri()
    try:
        return webbrowser.open(target)
    except webbrowser.Error:
        return False


async def open_page_and_forget(home: Path, address: str) -> None:
    """Open the page, and take the file that leads there away once its token is too old."""
    try:
        if not await asyncio.to_thread(open_page, home, address):
            click.echo(say("No browser was found: open the address yourself."), err=True)
        await asyncio.sleep(START_LIFETIME_MS / 1000)
    finally:
        (home / "open.html").unlink(missing_ok=True)
