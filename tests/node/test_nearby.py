"""Nodes on one network: conversations go on at relays that they lend each other, and show once."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from msgspec.structs import replace

from skvoz.base.errors import StoreError
from skvoz.base.ids import EntryId, GroupId, RelayId
from skvoz.cli import lending
from skvoz.cli.lending import lend
from skvoz.client.commands import BlockContact, ChangeProfile
from skvoz.client.effects import Append, Attach, Channel, OpenLog
from skvoz.client.inputs import Attached, EntriesRead, EntryStored, LogOpened, RequestRefused
from skvoz.client.near import SideLog, side_log
from skvoz.crypto import sha256
from skvoz.node import beside, nearby
from skvoz.node.beside import Keys
from skvoz.node.lending import Lent, path_of
from skvoz.node.nearby import LENDERS_MAX, NAMES_MAX, Nearby
from skvoz.node.node import Node
from skvoz.transports.lan import Lender, Place, announce
from tests.node.people import Person, client_id, until, world
from tests.server.real_relay import Client

pytestmark = pytest.mark.slow
THIS_MACHINE = IPv4Interface("127.0.0.1/8")


@pytest.fixture(autouse=True)
def around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this machine for a network, and look around more often than people need."""
    monkeypatch.setattr(nearby, "lan_address", lambda: THIS_MACHINE)
    for name in ("_KEYS_S", "_RETRY_S"):
        monkeypatch.setattr(nearby, name, 0.2)


async def switch_on(person: Person) -> Node:
    """Let somebody use the network around, which is this machine's loopback."""
    person.node._lend = lend
    await person.do(ChangeProfile(client_id=client_id(), lan_enabled=True))
    return person.node


async def found(*people: Person, count: int) -> None:
    async def look() -> bool:
        return all(one.node.nearby is not None and one.node.nearby.lenders >= count for one in people)

    await until(look)


def test_a_chat_goes_on_without_its_relay_and_shows_everything_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            stranger = await here.person("Stranger")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            before = await boris.texts(to_anna)
            await here.stop_relay()
            await anna.send(to_boris, "before they met")
            for one in (anna, boris, stranger):
                await switch_on(one)
            await found(anna, boris, count=1)
            await boris.wait_for(to_anna, [*before, "before they met"])
            await boris.send(to_anna, "near")
            await anna.wait_for(to_boris, [*before, "before they met", "near"])
            assert stranger.node.nearby is not None
            assert stranger.node.nearby.lenders == 0
            await here.start_relay()
            await anna.send(to_boris, "and far")
            everything = [*before, "before they met", "near", "and far"]
            await boris.wait_for(to_anna, everything)

            async def nothing_waits() -> bool:
                waiting = [await one.node.query(lambda queries: queries.unsent()) for one in (anna, boris)]
                return not any(waiting)

            await until(nothing_waits)
            assert await anna.texts(to_boris) == await boris.texts(to_anna) == everything
            await boris.do(BlockContact(client_id=client_id(), account_id=to_anna))

            async def nothing_goes_on() -> bool:
                return not _logs(boris)

            assert _logs(boris)
            await until(nothing_goes_on)
            await anna.do(ChangeProfile(client_id=client_id(), lan_enabled=False))
            assert anna.node.nearby is None
            assert not (anna.folder / "lent").exists()

    asyncio.run(scenario())


def test_what_a_lent_relay_did_not_take_at_once_is_put_there_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_RETRY_S", 0.2)
    monkeypatch.setattr(lending, "QUOTAS", replace(lending.QUOTAS, append_burst=4, appends_per_s=20.0))

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            before = await boris.texts(to_anna)
            await here.stop_relay()
            texts = [f"number {number}" for number in range(12)]
            for text in texts:
                await anna.send(to_boris, text)
            for one in (anna, boris):
                await switch_on(one)
            await found(anna, boris, count=1)

            async def all_there() -> bool:
                return sorted(await boris.texts(to_anna)) == sorted([*before, *texts])

            await until(all_there)

    asyncio.run(scenario())


def _logs(person: Person) -> Sequence[object]:
    """Return the logs beside conversations that somebody reads."""
    assert person.node.nearby is not None
    assert person.node.nearby._beside is not None
    return tuple(person.node.nearby._beside._logs)


def test_a_relay_that_breaks_is_said_and_another_one_lent(tmp_path: Path) -> None:
    lent: list[Lent] = []

    @asynccontextmanager
    async def noted(folder: Path, address: str) -> AsyncGenerator[Lent]:
        async with lend(folder, address) as one:
            lent.append(one)
            yield one

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            anna.node._lend = noted
            await anna.do(ChangeProfile(client_id=client_id(), lan_enabled=True))
            near = anna.node.nearby
            assert near is not None

            async def has_lent(count: int) -> bool:
                return len(lent) == count

            await until(lambda: has_lent(1))
            lent[0].failed.set_result(StoreError("no space is left on the disk"))

            async def is_said() -> bool:
                return near.problem == "no space is left on the disk"

            await until(is_said)
            await until(lambda: has_lent(2))
            assert lent[0].lender.relay_id != lent[1].lender.relay_id

            async def is_well() -> bool:
                return not near.problem

            await until(is_well)

    asyncio.run(scenario())


class NoHome:
    """A home without conversations."""

    async def near_keys(self) -> Keys:
        return []

    async def carried(self, group_id: GroupId) -> list[tuple[EntryId, bytes]]:
        raise AssertionError(group_id)

    async def carried_count(self) -> int:
        return 0

    async def take_carried(self, fact: object) -> None:
        raise AssertionError(fact)


class Used:
    """Counts what is used."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.relays: set[bytes] = set()

    def use(self, lender: Lender, whose: Sequence[GroupId], keys: Keys, address: str) -> None:
        del whose, keys
        self.addresses.append(address)
        self.relays.add(lender.relay_id)

    def leave(self, relay_id: RelayId) -> None:
        self.relays.discard(relay_id)


def test_a_member_who_announces_thousands_has_eight_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearby, "lan_address", lambda: None)
    place = Place(address=bytes((127, 0, 0, 1)), port=9)
    key = (GroupId(b"g" * 32), b"k" * 32)
    bugs: list[BaseException] = []

    def said(number: int) -> bytes:
        lender = Lender(relay_id=number.to_bytes(32), ticket=bytes(16), path=bytes(16))
        return announce(lender, place, [key[1]], now_ms=0, randomness=bytes)

    async def scenario() -> None:
        near = Nearby(NoHome(), lend, tmp_path / "lent", lambda: 0, bugs.append)

        async def is_said() -> bool:
            return near.problem == "this machine is in no local network"

        await until(is_said)
        near._keys = [key]
        used = Used()
        near._beside = used  # type: ignore[assignment]  # as much of it as is asked
        for number in range(1_000):
            near._found(f"many {number}", said(number), place)
            near._found(f"one {number}", said(0), place)
        for number in range(1_000):
            near._found("many 1", said(number), place)
            assert len(used.relays) <= LENDERS_MAX
        assert near.lenders == LENDERS_MAX
        assert len(near._named) <= NAMES_MAX
        assert set(used.addresses) == {"ws://127.0.0.1:9"}
        near._beside = None
        await near.close()

    asyncio.run(scenario())
    assert not bugs


async def _client(lent: Lent) -> Client:
    """Return somebody who knows where a lent relay is, and asks for its key."""
    client = Client(b"", f"ws://127.0.0.1:{lent.port}{path_of(lent.lender)}")
    client.relay_id = RelayId(lent.lender.relay_id)
    client.session._relay_id = client.relay_id
    await client.connect()
    return client


def _open(client: Client, log: SideLog, ticket: bytes) -> OpenLog:
    return OpenLog(
        relay_id=client.relay_id,
        channel=Channel.ROOMS,
        log_id=log.log_id,
        key_hash=sha256(log.access_key),
        owner_hash=sha256(log.owner_key),
        is_inbox=False,
        ticket=ticket,
    )


def _junk(client: Client, log: SideLog, number: int) -> Append:
    return Append(
        relay_id=client.relay_id,
        channel=Channel.ROOMS,
        log_id=log.log_id,
        key=log.access_key,
        entry_id=EntryId(number.to_bytes(16)),
        body=bytes(528),
        since=0,
    )


def _attach(client: Client, log: SideLog) -> Attach:
    return Attach(
        relay_id=client.relay_id,
        channel=Channel.ROOMS,
        log_id=log.log_id,
        key=log.access_key,
        after=0,
    )


def test_a_lent_relay_is_for_friends_and_junk_in_its_logs_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "ENTRIES_MAX", 60)

    async def scenario() -> None:
        async with AsyncExitStack() as stack, world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            before = await boris.texts(to_anna)
            await here.stop_relay()
            lent = await stack.enter_async_context(lend(tmp_path / "lent", "127.0.0.1"))
            client = await _client(lent)
            stack.push_async_callback(client.close)
            [(group_id, key), *_] = await anna.node.near_keys()
            log = side_log(key, client.relay_id)
            for ticket in (b"guess", lent.lender.ticket):
                client.session.request(_open(client, log, ticket))
            await client.until(lambda told: any(isinstance(one, RequestRefused) for one in told))
            await client.until(lambda told: any(isinstance(one, LogOpened) for one in told))
            for number in range(40):  # what somebody writes who was a member
                client.session.request(_junk(client, log, number))
            await client.until(lambda told: sum(isinstance(one, EntryStored) for one in told) == 40)
            for one in (anna, boris):
                node = await switch_on(one)
                assert node.nearby is not None
            await found(anna, boris, count=1)
            address = f"ws://127.0.0.1:{lent.port}"
            for one in (anna, boris):
                near = one.node.nearby
                assert near is not None
                assert near._beside is not None
                near._found("x", b"junk", Place(address=bytes((127, 0, 0, 1)), port=lent.port))
                near._beside.use(lent.lender, [group_id], near._keys, address)
            await anna.send(to_boris, "among junk")
            await boris.wait_for(to_anna, [*before, "among junk"])
            assert client.session.is_up
            client.session.request(_attach(client, log))
            await client.until(lambda told: any(isinstance(one, Attached) for one in told))
            await client.until(
                lambda told: sum(len(one.entries) for one in told if isinstance(one, EntriesRead)) > 40
            )

    asyncio.run(scenario())
