"""Nodes on one network: conversations go on at relays that they lend each other, and show once."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from skvoz.base.ids import EntryId, RelayId
from skvoz.cli.lending import lend
from skvoz.client.commands import ChangeProfile
from skvoz.client.effects import Append, Attach, Channel, OpenLog
from skvoz.client.inputs import Attached, EntriesRead, EntryStored, LogOpened, RequestRefused
from skvoz.client.near import SideLog, side_log
from skvoz.crypto import sha256
from skvoz.node import nearby
from skvoz.node.lending import Lent, path_of
from skvoz.node.node import Node
from tests.node.people import Person, client_id, until, world
from tests.server.real_relay import Client

pytestmark = pytest.mark.slow


async def switch_on(person: Person) -> Node:
    """Let somebody use the network around, which is this machine's loopback."""
    person.node._lend = lend
    await person.do(ChangeProfile(client_id=client_id(), lan_enabled=True))
    return person.node


async def found(*people: Person, count: int) -> None:
    async def look() -> bool:
        return all(one.node.nearby is not None and one.node.nearby.lenders >= count for one in people)

    await until(look)


def test_a_chat_goes_on_without_its_relay_and_shows_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearby, "lan_address", lambda: "127.0.0.1")

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
            await anna.do(ChangeProfile(client_id=client_id(), lan_enabled=False))
            assert anna.node.nearby is None

    asyncio.run(scenario())


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
    monkeypatch.setattr(nearby, "lan_address", lambda: "127.0.0.1")
    monkeypatch.setattr(nearby, "ENTRIES_MAX", 60)

    async def scenario() -> None:
        async with AsyncExitStack() as stack, world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            before = await boris.texts(to_anna)
            await here.stop_relay()
            lent = await stack.enter_async_context(lend("127.0.0.1"))
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
            for one in (anna, boris):
                assert one.node.nearby is not None
                one.node.nearby._found("x", b"junk", "127.0.0.1", lent.port)
                one.node.nearby._use(lent.lender, [group_id], f"ws://127.0.0.1:{lent.port}")
            await anna.send(to_boris, "among junk")
            await boris.wait_for(to_anna, [*before, "among junk"])
            assert client.session.is_up
            client.session.request(_attach(client, log))
            await client.until(lambda told: any(isinstance(one, Attached) for one in told))
            await client.until(
                lambda told: sum(len(one.entries) for one in told if isinstance(one, EntriesRead)) > 40
            )

    asyncio.run(scenario())
