"""A world with people in it: behind the box one for each row of the table, who all know the one outside.

The relay has an address in each network.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from lab.chat import Chat
from lab.homes import Means, Resident
from lab.places import PLACES, WHO
from lab.processes import Where
from lab.rows import Row, Scene, relay_name
from lab.scenes import Ground, move_in
from lab.site import Authority, Front, Site, site
from lab.world import World

BESIDE: Final = "client2"
"""Where those live who are on one local network with a row's person."""
CLIENTS_FIRST: Final = 2
"""So many have no row: for controls and peers, and for those beside."""


class Stage:
    """Everything that cells are measured with; made by `stage`."""

    def __init__(
        self, world: World, relay: Site, authority: Authority, outside: Resident, ending: AsyncExitStack
    ) -> None:
        """Whatever is started for the people ends with `ending`."""
        self.world = world
        self.relay = relay
        self.outside = outside
        self._authority = authority
        self._ending = ending
        self.chats: dict[str, Chat] = {}
        self._clients: dict[str, str] = {}

    async def admit(self, row: Row, number: int, folder: Path, seed: int) -> None:
        """Let a row's person move in behind the box and meet a friend, while nothing is blocked."""
        folder.mkdir()  # noqa: ASYNC240  # it takes no time
        where = self._clients[row.name] = client_of(number)
        person = Resident(row.name, folder / row.name, Where(self.world.namespace(where)))
        ground = Ground(
            relay=self.relay,
            authority=self._authority,
            addresses=addresses(self.relay, row),
            anna=self.outside,
            outside=Where(self.world.namespace("outside")),
            beside=Where(self.world.namespace(BESIDE)),
            folder=folder,
        )
        await person.wake(ground.means)
        friend = await move_in(row.scene, ground, person, self._ending)
        chat = Chat(person, friend, folder, seed)
        person.heard = chat.hear
        if friend is not self.outside:
            friend.heard = chat.hear
        self.chats[row.name] = chat
        # What comes once, after joining, belongs to no cell.
        await chat.write_many(4, 0.2)
        await person.sleep()

    def hear(self, message_id: str, at: float) -> None:
        """Note for each chat what the one outside hears."""
        for chat in self.chats.values():
            chat.hear(message_id, at)

    def bytes_moved(self, row: Row) -> int:
        """Return how many bytes of frames went out of a person's machine and into it."""
        counters = [f"/sys/class/net/net/statistics/{way}_bytes" for way in ("rx", "tx")]
        read = self.world.run(self._clients[row.name], ["cat", *counters], timeout_s=10)
        return sum(int(count) for count in read.stdout.split())

    def cut_connections(self, row: Row) -> None:
        """End all connections of a person's machine, as a change of cells does."""
        ends = ["ss", "-K", "-tn", "state", "established", "dport", "=", ":443"]
        self.world.run(self._clients[row.name], ends, timeout_s=10)

    async def wake(self, row: Row) -> Chat:
        """Start the node of a row's person, with the transports that the row allows."""
        chat = self.chats[row.name]
        is_direct = row.scene in {Scene.RELAY, Scene.PROXY} and not row.is_free
        hosts = tuple(relay_name(place) for place in row.places) if is_direct else ()
        await chat.inside.wake(Means(authority=self.relay.authority, only=row.only, hosts=hosts))
        return chat


def client_of(number: int) -> str:
    """Return the namespace of a row's person; the first ones are for controls, and neighbours."""
    return f"client{number + CLIENTS_FIRST + 1}"


def addresses(relay: Site, row: Row) -> tuple[str, ...]:
    """Return where a row's person looks for the relay."""
    return tuple(relay.url("wss", relay_name(place)) for place in row.places)


@contextlib.asynccontextmanager
async def stage(world: World, rows: tuple[Row, ...], seed: int) -> AsyncGenerator[Stage]:
    """Put the people of some rows into a world; all of it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="skvoz-lab-people-") as name:
        folder = Path(name)
        outside = Where(world.namespace("outside"))
        fronts = tuple(Front(relay_name(place), place.at(WHO["relay"])) for place in PLACES)
        authority = Authority(folder / "authority")
        async with AsyncExitStack() as ending:
            relay = ending.enter_context(site(folder / "site", outside, authority, fronts, 443))
            anna = Resident("anna", folder / "anna", outside)
            ending.push_async_callback(anna.sleep)
            made = Stage(world, relay, authority, anna, ending)
            anna.heard = made.hear
            await anna.wake(Means(authority=relay.authority))
            await anna.create_account(relay, tuple(relay.url("wss", front.name) for front in fronts))
            try:
                for number, row in enumerate(rows):
                    await made.admit(row, number, folder / f"home-{row.name}", seed + number)
                yield made
            finally:
                await asyncio.gather(
                    *(chat.inside.sleep() for chat in made.chats.values()), return_exceptions=True
                )
