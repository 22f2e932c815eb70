"""Who meets in a row, and what they have between them: each scene lets its row's person move in.

All of it is set up while nothing is blocked; only the person's own node is stopped and started between
cells. What a scene has started ends with the stage.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from lab.homes import Means, Resident, introduce
from lab.places import DOMESTIC, LISTED, SUSPICIOUS, WHO
from lab.processes import Where, running, wait_for_port
from lab.rows import Row, Scene
from lab.site import Authority, Front, Site, site
from skvoz.base.errors import SkvozError

_HOP_NAME: Final = f"front.{DOMESTIC.name}.example"
_DROP_NAME: Final = f"front.{LISTED.name}.example"
_DROP_POLL_S: Final = "1"
"""More often than people would have it (30 s), for the sake of many cells."""
_DROP_MEGABYTES: Final = "1000"
_BIN: Final = Path(sys.executable).parent
_COMMAND_S: Final = 90.0
_WORDS_MAX: Final = 200
_SHADOWSOCKS_PORT: Final = 8_389
_SOCKS_PORT: Final = 1_080
_METHOD: Final = "chacha20-ietf-poly1305"
_CARRY_EVERY_S: Final = 3.0
_PASSWORD: Final = secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a scene is set up on."""

    relay: Site
    authority: Authority
    addresses: tuple[str, ...]
    """Where the row's person looks for the relay."""
    anna: Resident
    """The one outside, who lives at the relay."""
    outside: Where
    beside: Where
    """Another machine on the local network behind the box."""
    folder: Path
    """The row's own."""

    @property
    def means(self) -> Means:
        """Every way there is."""
        return Means(authority=self.authority.file)


async def move_in(scene: Scene, ground: Ground, person: Resident, ending: AsyncExitStack) -> Resident:
    """Give a person whose node runs an account and a friend, and return the friend, whose node runs too."""
    return await _SCENES[scene](ground, person, ending)


def going_on(row: Row, person: Resident, friend: Resident) -> AbstractAsyncContextManager[None]:
    """Have done what people do by hand while a cell is measured."""
    return _carrying(person, friend) if row.scene is Scene.STICK else contextlib.nullcontext()


async def _at_relay(ground: Ground, person: Resident, _: AsyncExitStack) -> Resident:
    await person.create_account(ground.relay, ground.addresses)
    await introduce(ground.anna, person)
    return ground.anna


async def _at_hop(ground: Ground, person: Resident, ending: AsyncExitStack) -> Resident:
    """Know a second relay through somebody who lives there."""
    front = Front(_HOP_NAME, DOMESTIC.at(WHO["front"]))
    near = ending.enter_context(
        site(ground.folder / "near", ground.outside, ground.authority, (front,), 443, carries_anywhere=True)
    )
    boris = await _resident(ground, "boris", ground.outside, ending)
    await boris.create_account(near, (near.url("wss", front.name),))
    await _at_relay(ground, person, ending)
    await introduce(boris, person)
    return ground.anna


async def _behind_proxy(ground: Ground, person: Resident, ending: AsyncExitStack) -> Resident:
    """Go through a proxy on the person's machine, as those who have a server abroad do."""
    if not (shutil.which("ss-server") and shutil.which("ss-local")):
        raise FileNotFoundError("shadowsocks is missing (Debian: apt-get install shadowsocks-libev)")
    far = SUSPICIOUS.at(WHO["relay"])
    both = ["-s", far, "-p", str(_SHADOWSOCKS_PORT), "-k", secrets.token_hex(16), "-m", _METHOD]
    log = ground.folder / "shadowsocks.log"
    ending.enter_context(running(ground.outside, ["ss-server", *both], log))
    entrance = ["ss-local", *both, "-b", "127.0.0.1", "-l", str(_SOCKS_PORT)]
    ending.enter_context(running(person.where, entrance, log))
    wait_for_port(ground.outside, far, _SHADOWSOCKS_PORT)
    wait_for_port(person.where, "127.0.0.1", _SOCKS_PORT)
    await person.api.ask("proxy.set", address=f"socks5://127.0.0.1:{_SOCKS_PORT}")
    return await _at_relay(ground, person, ending)


async def _at_drop(ground: Ground, person: Resident, ending: AsyncExitStack) -> Resident:
    """Both know a drop, and live there; made and handed on by the commands that people use."""
    url = _serve_storage(ground, ending)
    boris = await _resident(ground, "boris", ground.outside, ending)
    password = ground.folder / "password"
    password.write_text(_PASSWORD)
    often = ["--every", _DROP_POLL_S, "--megabytes-a-day", _DROP_MEGABYTES, "--yes", "--json"]
    made = await _command(ground, boris, "drop", "make", url, "--password-file", str(password), *often)
    drop = msgspec.json.decode(made)
    key = await _command(ground, boris, "drop", "key")
    await _command(ground, person, "drop", "join", *often, typed=key)
    for one in (boris, person):
        await one.live_at({"relay_id": drop["relay_id"], "addresses": [drop["address"]]})
    await introduce(boris, person)
    return boris


def _serve_storage(ground: Ground, ending: AsyncExitStack) -> str:
    ip = LISTED.at(WHO["front"])
    chain, key = ground.authority.issue(_DROP_NAME)
    served = ground.folder / "served"
    (served / "drop").mkdir(parents=True)
    words = [str(_BIN / "rclone"), "serve", "webdav", str(served), "--dir-cache-time", "50ms"]
    words += ["--addr", f"{ip}:443", "--cert", str(chain), "--key", str(key)]
    words += ["--user", "anna", "--pass", _PASSWORD]
    ending.enter_context(running(ground.outside, words, ground.folder / "rclone.log"))
    wait_for_port(ground.outside, ip, 443)
    return f"davs://anna@{_DROP_NAME}/drop"


async def _command(ground: Ground, who: Resident, *words: str, typed: str = "") -> str:
    """Run a command of the app on the machine of somebody whose node runs; return what it prints."""
    command = who.where.command(str(_BIN / "skvoz"), "--home", str(who.folder), *words)
    environment = {**os.environ, "SSL_CERT_FILE": str(ground.authority.file), "SKVOZ_KEYRING": "off"}
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        input=typed,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_COMMAND_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a command failed: {done.stderr.strip()[-_WORDS_MAX:]}")
    return done.stdout


async def _beside(ground: Ground, person: Resident, ending: AsyncExitStack) -> Resident:
    """Live on one local network, and use it."""
    vera = await _resident(ground, "vera", ground.beside, ending)
    await vera.create_account(ground.relay, ground.addresses)
    await person.create_account(ground.relay, ground.addresses)
    await introduce(vera, person)
    for one in (vera, person):
        await one.api.wish("account.change", lan_enabled=True)
    return vera


async def _resident(ground: Ground, name: str, where: Where, ending: AsyncExitStack) -> Resident:
    made = Resident(name, ground.folder / name, where)
    ending.push_async_callback(made.sleep)
    await made.wake(ground.means)
    return made


@asynccontextmanager
async def _carrying(person: Resident, friend: Resident) -> AsyncGenerator[None]:
    """Have somebody walk between two people with a stick, all the time."""

    async def walk() -> None:
        while True:
            for one, other in ((person, friend), (friend, person)):
                with contextlib.suppress(SkvozError):  # one of them does not run just now
                    await asyncio.to_thread(_carry, one, other)
            await asyncio.sleep(_CARRY_EVERY_S)

    walking = asyncio.create_task(walk())
    try:
        yield
    finally:
        walking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await walking


def _carry(one: Resident, other: Resident) -> None:
    other.bring(one.bundle())


_SCENES: Final[dict[Scene, Callable[[Ground, Resident, AsyncExitStack], Awaitable[Resident]]]] = {
    Scene.RELAY: _at_relay,
    Scene.HOP: _at_hop,
    Scene.PROXY: _behind_proxy,
    Scene.DROP: _at_drop,
    Scene.NEIGHBOURS: _beside,
    Scene.STICK: _at_relay,
}
