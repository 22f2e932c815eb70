"""People without any relay: their nodes share a dead drop."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from skvoz.client.commands import CreateAccount, KeepDrop, RelayAddress
from skvoz.client.relay_addresses import drop_address
from skvoz.transports.deaddrop import drop_keys, make_mark, open_storage
from tests.node.people import Person, client_id


class DropWorld:
    """A drop and people who know it."""

    def __init__(self, folder: Path, url: str, password: str = "") -> None:
        self.folder = folder
        self.url = url
        self.password = password
        self.secret = secrets.token_bytes(32)
        self.keys = drop_keys(self.secret)
        self.people: list[Person] = []

    @property
    def address(self) -> RelayAddress:
        return RelayAddress(relay_id=self.keys.relay_id, addresses=(drop_address(self.keys.relay_id),))

    async def make(self) -> None:
        storage = open_storage(self.url, self.password)
        await make_mark(self.keys, storage, secrets.token_bytes)
        await storage.close()

    async def know(self, person: Person) -> None:
        await person.do(
            KeepDrop(
                client_id=client_id(),
                relay_id=self.keys.relay_id,
                secret=self.secret,
                url=self.url,
                password=self.password,
                poll_s=1,
            )
        )

    async def person(self, name: str) -> Person:
        person = Person(self.folder / f"home-{len(self.people)}")
        self.people.append(person)
        await person.wake()
        await self.know(person)
        await person.do(CreateAccount(client_id=client_id(), name=name, relay=self.address))
        return person

    async def introduce(self, inviter: Person, opener: Person, text: str = "hello") -> None:
        await opener.accept_link(await inviter.link(), text)
        await inviter.wait_for(await opener.account_id(), [text])


@asynccontextmanager
async def drop_world(folder: Path, url: str = "", password: str = "") -> AsyncGenerator[DropWorld]:
    if not url:
        (folder / "drop").mkdir()
        url = (folder / "drop").as_uri()
    here = DropWorld(folder, url, password)
    await here.make()
    try:
        yield here
    finally:
        for person in here.people:
            if person.is_awake:
                await person.sleep()
