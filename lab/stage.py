"""A world with people in it: behind the box one for each row of the table, who all know the one outside.

The relay has an address in each network.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

from lab.chat import Chat
from lab.homes import Means, Resident, introduce
from lab.places import PLACES, WHO
from lab.processes import Where
from lab.rows import Row, relay_name
from lab.site import Authority, Front, Site, site
from lab.world import World


class Stage:
    """Everything that cells are measured with; made by `stage`."""

    def __init__(self, world: World, relay: Site, outside: Resident) -> None:
        self.world = world
        self.relay = relay
        self.outside = outside
        self.chats: dict[str, Chat] = {}
        self._clients: dict[str, str] = {}

    async def admit(self, row: Row, where: str, folder: Path, seed: int) -> None:
        """Let a row's person move in behind the box and meet the one outside, while nothing is blocked."""
        folder.mkdir()  # noqa: ASYNC240  # it takes no time
        self._clients[row.name] = where
        person = Resident(row.name, folder / row.name, Where(self.world.namespace(where)))
        await person.wake(Means(authority=self.relay.authority))
        await person.create_account(self.relay, addresses(self.relay, row))
        await introduce(self.outside, person)
        chat = Chat(person, self.outside, folder, seed)
        person.heard = chat.hear
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
        hosts = () if row.is_free else tuple(relay_name(place) for place in row.places)
        await chat.inside.wake(Means(authority=self.relay.authority, only=row.only, hosts=hosts))
        return chat


def client_of(number: int) -> str:
    """Return the namespace of a row's person; the first client is for controls and peers."""
    return f"client{number + 2}"


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
        with site(folder / "site", outside, Authority(folder / "authority"), fronts, 443) as relay:
            anna = Resident("anna", folder / "anna", outside)
            made = Stage(world, relay, anna)
            anna.heard = made.hear
            try:
                await anna.wake(Means(authority=relay.authority))
                await anna.create_account(relay, tuple(relay.url("wss", front.name) for front in fronts))
                for number, row in enumerate(rows):
                    home = folder / f"home-{row.name}"
                    await made.admit(row, client_of(number), home, seed + number)
                yield made
            finally:
                await asyncio.gather(
                    anna.sleep(),
                    *(chat.inside.sleep() for chat in made.chats.values()),
                    return_exceptions=True,
                )
